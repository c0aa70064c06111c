using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// The compiled normalisation rules of a SentencePiece model (<c>precompiled_charsmap</c>: a double-array trie of UTF-8
/// spellings and the table of what each becomes), applied as the crate spm_precompiled 0.1 applies them, which is what the
/// reference runs: by grapheme cluster where a cluster is shorter than six bytes and one of its prefixes has a rule (the
/// shortest prefix counts, the rest of the cluster falls away), else by code point. SentencePiece's own leftmost-longest
/// search differs from that for stacked combining marks.
/// </summary>
internal sealed class CharsMap
{
    private const int ClusterBytes = 6;
    private readonly uint[] _trie;
    private readonly byte[] _texts;

    /// <summary>Reads the rules.</summary>
    /// <param name="bytes">The field's bytes, not empty.</param>
    /// <param name="source">Name of the file, for messages.</param>
    /// <exception cref="LabException">The bytes are no rules.</exception>
    public CharsMap(ReadOnlySpan<byte> bytes, string source)
    {
        var length = bytes.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : uint.MaxValue;
        if (length > bytes.Length - 4 || length % 4 != 0 || length == 0)
            throw new LabException(
                $"The normalisation rules (precompiled_charsmap) of '{source}' are damaged: a trie of {length} bytes in {bytes.Length}.");
        _trie = new uint[length / 4];
        for (var i = 0; i < _trie.Length; i++)
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 + (4 * i))..]);
        _texts = bytes[(4 + (int)length)..].ToArray();
    }

    /// <summary>Normalises a text.</summary>
    /// <param name="text">A text without lone surrogates.</param>
    /// <returns>The normalised text.</returns>
    public string Normalize(string text)
    {
        var normalized = new StringBuilder(text.Length);
        Span<byte> utf8 = stackalloc byte[ClusterBytes];
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var cluster = rest[..StringInfo.GetNextTextElementLength(rest)];
            rest = rest[cluster.Length..];
            if (Encoding.UTF8.TryGetBytes(cluster, utf8, out var size) && size < ClusterBytes && Find(utf8[..size]) is { } whole)
            {
                normalized.Append(whole);
                continue;
            }

            foreach (var rune in cluster.EnumerateRunes())
            {
                if (Find(utf8[..rune.EncodeToUtf8(utf8)]) is { } replaced)
                    normalized.Append(replaced);
                else
                    normalized.Append(rune.ToString());
            }
        }

        return normalized.ToString();
    }

    /// <summary>What the shortest prefix with a rule becomes, or null where no prefix has one.</summary>
    private string? Find(ReadOnlySpan<byte> key)
    {
        uint node = Offset(_trie[0]);
        foreach (var value in key)
        {
            node ^= value;
            if (value == 0 || node >= _trie.Length)
                return null;
            var unit = _trie[node];
            if ((unit & 0x800000FF) != value)
                return null;
            node ^= Offset(unit);
            if (node >= _trie.Length)
                return null;
            if ((unit >> 8 & 1) != 0)
                return Text(_trie[node] & 0x7FFFFFFF);
        }

        return null;
    }

    private string? Text(uint start)
    {
        if (start >= _texts.Length)
            return null;
        var text = _texts.AsSpan((int)start);
        var end = text.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & (1 << 9)) >> 6);
}
