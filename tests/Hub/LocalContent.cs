using System.Security.Cryptography;
using System.Text;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>What a file of the local hub holds.</summary>
internal abstract class LocalContent
{
    private string? _sha256;

    public abstract long Size { get; }

    public string Sha256 => _sha256 ??= Hash(HashAlgorithmName.SHA256, []);

    public string GitName => Hash(HashAlgorithmName.SHA1, Encoding.ASCII.GetBytes($"blob {Size}\0"));

    /// <summary>Copies bytes from a position on; the buffer does not reach past the end.</summary>
    public abstract void Read(long position, Span<byte> buffer);

    public static LocalContent Of(string text) => new Bytes(Encoding.UTF8.GetBytes(text));

    public static LocalContent Of(byte[] bytes) => new Bytes(bytes);

    /// <summary>Bytes that differ everywhere, made when they are read.</summary>
    public static LocalContent Of(long size, int seed) => new Pattern(size, seed);

    private string Hash(HashAlgorithmName name, byte[] header)
    {
        using var hash = IncrementalHash.CreateHash(name);
        hash.AppendData(header);
        var buffer = new byte[1 << 20];
        for (var at = 0L; at < Size; at += buffer.Length)
        {
            var length = (int)Math.Min(buffer.Length, Size - at);
            Read(at, buffer.AsSpan(0, length));
            hash.AppendData(buffer, 0, length);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private sealed class Bytes(byte[] bytes) : LocalContent
    {
        public override long Size => bytes.Length;

        public override void Read(long position, Span<byte> buffer) => bytes.AsSpan((int)position, buffer.Length).CopyTo(buffer);
    }

    private sealed class Pattern : LocalContent
    {
        private readonly byte[] _block = new byte[1 << 20];

        public Pattern(long size, int seed)
        {
            Size = size;
            new Random(seed).NextBytes(_block);
        }

        public override long Size { get; }

        public override void Read(long position, Span<byte> buffer)
        {
            while (buffer.Length > 0)
            {
                var (number, inside) = ((int)(position / _block.Length), (int)(position % _block.Length));
                var length = Math.Min(buffer.Length, _block.Length - inside);
                _block.AsSpan(inside, length).CopyTo(buffer);
                // The number of the block stands in its first bytes, so that no two blocks are alike.
                for (var i = inside; i < 4 && i - inside < length; i++)
                    buffer[i - inside] = (byte)(number >> (8 * i));
                position += length;
                buffer = buffer[length..];
            }
        }
    }
}
