using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>
/// Turns messages into frames and back. Incoming frames are refused, and counted, when they are malformed, not signed,
/// wrongly signed (compared in constant time) or a replay of an earlier message. Safe to use from several threads.
/// </summary>
/// <param name="key">The connection file's key; empty switches signatures off, as the protocol allows.</param>
public sealed class MessageCodec(string key)
{
    private const int RememberedSignatures = 1 << 16;
    private static readonly byte[] s_delimiter = "<IDS|MSG>"u8.ToArray();
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly byte[] _key = Encoding.UTF8.GetBytes(key);
    private readonly HashSet<string> _seen = [];
    private readonly Queue<string> _seenOrder = new();

    /// <summary>How many messages were refused because their frames or JSON were not a message.</summary>
    public int Malformed { get; private set; }

    /// <summary>What was wrong with the last message that counts as malformed; empty when none was.</summary>
    public string LastProblem { get; private set; } = "";

    /// <summary>How many messages were refused because their signature was empty or wrong.</summary>
    public int BadSignatures { get; private set; }

    /// <summary>How many messages were refused because a message with the same signature came before.</summary>
    public int Replays { get; private set; }

    /// <summary>Frames of <paramref name="message"/>, signed.</summary>
    /// <param name="message">The message.</param>
    /// <returns>Identities, delimiter, signature, the four JSON parts, buffers.</returns>
    public List<byte[]> Encode(JupyterMessage message)
    {
        byte[][] parts =
        [
            message.Header, message.ParentHeader, JsonSerializer.SerializeToUtf8Bytes(message.Metadata, s_json),
            JsonSerializer.SerializeToUtf8Bytes(message.Content, s_json),
        ];
        List<byte[]> frames = [.. message.Identities, s_delimiter, Encoding.ASCII.GetBytes(Sign(parts)), .. parts, .. message.Buffers];
        return frames;
    }

    /// <summary>Reads a message.</summary>
    /// <param name="frames">Frames as received.</param>
    /// <returns>The message, or null when it was refused.</returns>
    public JupyterMessage? Decode(IReadOnlyList<byte[]> frames)
    {
        var delimiter = 0;
        while (delimiter < frames.Count && !frames[delimiter].AsSpan().SequenceEqual(s_delimiter))
            delimiter++;
        if (frames.Count < delimiter + 6)
            return Refuse(FormattableString.Invariant($"it has {frames.Count} frames, not the delimiter and five after it"));

        var parts = new[] { frames[delimiter + 2], frames[delimiter + 3], frames[delimiter + 4], frames[delimiter + 5] };
        if (!Accept(frames[delimiter + 1], parts))
            return null;
        try
        {
            return Parse([.. frames.Take(delimiter)], parts, [.. frames.Skip(delimiter + 6)]);
        }
        catch (JsonException e)
        {
            return Refuse(e.Message);
        }
    }

    private JupyterMessage? Refuse(string problem)
    {
        Malformed++;
        LastProblem = problem;
        return null;
    }

    private static JupyterMessage Parse(byte[][] identities, byte[][] parts, byte[][] buffers)
    {
        var header = StrictJson.ParseObject(parts[0], "the header");
        _ = StrictJson.ParseObject(parts[1], "the parent header");
        return new JupyterMessage(
            identities, parts[0], parts[1], StrictJson.ParseObject(parts[2], "the metadata"),
            StrictJson.ParseObject(parts[3], "the content"), buffers)
        {
            Type = StrictJson.Text(header, "msg_type", "the header") ?? throw new JsonException("the header has no msg_type"),
            Id = StrictJson.Text(header, "msg_id", "the header") ?? throw new JsonException("the header has no msg_id"),
            Session = StrictJson.Text(header, "session", "the header") ?? "",
        };
    }

    private bool Accept(byte[] signature, byte[][] parts)
    {
        if (_key.Length == 0)
            return true;
        if (!CryptographicOperations.FixedTimeEquals(signature, Encoding.ASCII.GetBytes(Sign(parts))))
        {
            BadSignatures++;
            return false;
        }

        var text = Encoding.ASCII.GetString(signature);
        if (!_seen.Add(text))
        {
            Replays++;
            return false;
        }

        _seenOrder.Enqueue(text);
        if (_seenOrder.Count > RememberedSignatures)
            _seen.Remove(_seenOrder.Dequeue());
        return true;
    }

    private string Sign(byte[][] parts)
    {
        if (_key.Length == 0)
            return "";
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        foreach (var part in parts)
            hash.AppendData(part);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
