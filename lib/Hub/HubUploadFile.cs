namespace Dreambooth.Lab.Hub;

/// <summary>One file of an upload: its path in the repository, and what it holds.</summary>
public sealed class HubUploadFile
{
    private readonly string? _source;
    private readonly byte[]? _bytes;

    private HubUploadFile(string path, string? source, byte[]? bytes) => (Path, _source, _bytes) = (path, source, bytes);

    /// <summary>Its path in the repository, with slashes.</summary>
    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Size => _bytes?.Length ?? new FileInfo(_source!).Length;

    /// <summary>A file that lies here.</summary>
    /// <param name="path">Its path in the repository.</param>
    /// <param name="source">The file on this machine.</param>
    public static HubUploadFile FromFile(string path, string source) => new(Check(path), source, null);

    /// <summary>A text, as UTF-8.</summary>
    /// <param name="path">Its path in the repository.</param>
    /// <param name="text">What it holds.</param>
    public static HubUploadFile FromText(string path, string text) => new(Check(path), null, System.Text.Encoding.UTF8.GetBytes(text));

    internal Stream Open() =>
        _bytes is null
            ? new FileStream(_source!, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16)
            : new MemoryStream(_bytes, writable: false);

    private static string Check(string path) =>
        SafePath.IsInside(path) ? path : throw new ArgumentException($"'{path}' is no path of a repository.", nameof(path));
}
