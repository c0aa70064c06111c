using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// How two processes prove each other to know the run's secret, which itself is not sent: HMAC-SHA256 (RFC 2104) over random numbers of
/// both, rank 0 first. What follows on the connection is neither encrypted nor signed, as NCCL's own is not.
/// </summary>
internal static class RankHandshake
{
    private const int NumberBytes = 32, MostBytes = 1 << 16;

    /// <summary>What a rank finds at a port.</summary>
    public enum Answer
    {
        /// <summary>It has joined.</summary>
        Welcome,

        /// <summary>Ranks of another start with the same secret.</summary>
        OtherLaunch,

        /// <summary>Rank 0, which does not take it and says why.</summary>
        Refused,

        /// <summary>Ranks with another secret.</summary>
        OtherSecret,

        /// <summary>Something else.</summary>
        Stranger,
    }

    private static ReadOnlySpan<byte> Magic => "LABRANK1"u8; // and the version of what follows

    /// <summary>Rank 0's side, before it judges.</summary>
    /// <param name="stream">The connection; reads must have a time limit.</param>
    /// <param name="secret">The run's.</param>
    /// <returns>What the other says of itself, and the session's numbers; null where it does not know the secret.</returns>
    public static (RankHello Hello, byte[] Numbers)? Challenge(Stream stream, byte[] secret)
    {
        if (!Exactly(stream, Magic.Length).AsSpan().SequenceEqual(Magic))
            return null;
        byte[] numbers = [.. Exactly(stream, NumberBytes), .. RandomNumberGenerator.GetBytes(NumberBytes)];
        stream.Write([.. Magic, .. numbers.AsSpan(NumberBytes), .. Proof(secret, "rank 0"u8, numbers, [])]);
        var proof = Exactly(stream, HMACSHA256.HashSizeInBytes);
        var hello = Text(stream);
        return CryptographicOperations.FixedTimeEquals(proof, Proof(secret, "rank"u8, numbers, hello))
            ? (JsonSerializer.Deserialize<RankHello>(hello)!, numbers)
            : null;
    }

    /// <summary>Rank 0's verdict.</summary>
    /// <param name="stream">The connection.</param>
    /// <param name="secret">The run's.</param>
    /// <param name="numbers">From <see cref="Challenge"/>.</param>
    /// <param name="answer">Whether the other joins.</param>
    /// <param name="content">Rank 0's <see cref="RankHello"/> as JSON, or why it does not join, as a JSON text.</param>
    public static void Tell(Stream stream, byte[] secret, byte[] numbers, Answer answer, object content)
    {
        byte[] text = [(byte)answer, .. JsonSerializer.SerializeToUtf8Bytes(content)];
        stream.Write([.. Proof(secret, "verdict"u8, numbers, text), .. Length(text), .. text]);
    }

    /// <summary>Another rank's side.</summary>
    /// <param name="stream">The connection; reads must have a time limit.</param>
    /// <param name="secret">The run's.</param>
    /// <param name="own">What it says of itself.</param>
    /// <returns>The answer, rank 0's hello where it is <see cref="Answer.Welcome"/>, or its reason.</returns>
    public static (Answer Answer, RankHello? First, string? Reason) Knock(Stream stream, byte[] secret, RankHello own)
    {
        var number = RandomNumberGenerator.GetBytes(NumberBytes);
        stream.Write([.. Magic, .. number]);
        if (!Exactly(stream, Magic.Length).AsSpan().SequenceEqual(Magic))
            return (Answer.Stranger, null, null);
        byte[] numbers = [.. number, .. Exactly(stream, NumberBytes)];
        if (!CryptographicOperations.FixedTimeEquals(
            Exactly(stream, HMACSHA256.HashSizeInBytes), Proof(secret, "rank 0"u8, numbers, [])))
            return (Answer.OtherSecret, null, null);
        var hello = JsonSerializer.SerializeToUtf8Bytes(own);
        stream.Write([.. Proof(secret, "rank"u8, numbers, hello), .. Length(hello), .. hello]);
        var proof = Exactly(stream, HMACSHA256.HashSizeInBytes);
        var text = Text(stream);
        if (text.Length == 0 || !CryptographicOperations.FixedTimeEquals(proof, Proof(secret, "verdict"u8, numbers, text)))
            return (Answer.Stranger, null, null);
        var answer = (Answer)text[0];
        return answer == Answer.Welcome
            ? (answer, JsonSerializer.Deserialize<RankHello>(text.AsSpan(1)), null)
            : (answer, null, JsonSerializer.Deserialize<string>(text.AsSpan(1)));
    }

    private static byte[] Proof(byte[] secret, ReadOnlySpan<byte> role, byte[] numbers, byte[] content) =>
        HMACSHA256.HashData(
            secret, (byte[])[.. Magic, (byte)role.Length, .. role, .. numbers, .. content]);

    private static byte[] Length(byte[] content)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, content.Length);
        return bytes;
    }

    private static byte[] Text(Stream stream)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(Exactly(stream, sizeof(int)));
        return length is >= 0 and <= MostBytes ? Exactly(stream, length)
            : throw new IOException($"A message of {length} bytes came; one has at most {MostBytes}.");
    }

    private static byte[] Exactly(Stream stream, int count)
    {
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
