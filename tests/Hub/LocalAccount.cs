namespace Dreambooth.Lab.Tests.Hub;

/// <summary>An account of the local hub.</summary>
internal sealed record LocalAccount(string Name, string[] Organizations, bool CanWrite)
{
    /// <summary>Gated repositories whose licence it has accepted.</summary>
    public HashSet<string> Accepted { get; } = [];
}
