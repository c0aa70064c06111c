namespace Dreambooth.Lab.Tests.Hub;

/// <summary>A file of the local hub; a large one lies on the store, behind a redirect.</summary>
internal sealed record LocalFile(LocalContent Content, bool IsLarge)
{
    private string? _etag;

    public string ETag => _etag ??= IsLarge ? Content.Sha256 : Content.GitName;
}
