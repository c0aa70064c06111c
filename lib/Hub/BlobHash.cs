using System.Security.Cryptography;
using System.Text;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// What content is, by the hub's names: SHA-256 of a large file, git's object name (SHA-1 over a header and the content) of a small one.
/// </summary>
internal sealed class BlobHash : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly IncrementalHash _hash;

    public BlobHash(int digits, long size)
    {
        _hash = IncrementalHash.CreateHash(digits == 64 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        if (digits != 64)
            _hash.AppendData(Encoding.ASCII.GetBytes($"blob {size}\0"));
    }

    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>Adds what a file holds now, from where it stands.</summary>
    /// <returns>The bytes added.</returns>
    public long Append(FileStream stream, CancellationToken cancellation)
    {
        var buffer = new byte[BufferBytes];
        var (total, length) = (0L, stream.Length);
        for (int read; total < length && (read = stream.Read(buffer)) > 0; total += read)
        {
            cancellation.ThrowIfCancellationRequested();
            _hash.AppendData(buffer, 0, read);
        }

        return total;
    }

    /// <summary>The name, lower-case hex; resets the hash.</summary>
    public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();

    /// <summary>The name of a file's content.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digits">64 for SHA-256, 40 for git's name.</param>
    /// <param name="cancellation">Ends it.</param>
    public static string OfFile(string path, int digits, CancellationToken cancellation)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        using var hash = new BlobHash(digits, stream.Length);
        hash.Append(stream, cancellation);
        return hash.Finish();
    }
}
