using System.Text;
using System.Text.Json;

namespace Dreambooth.Lab.Tests.Fuzzing;

/// <summary>Makes wrong inputs of right ones; the same seed makes the same.</summary>
internal static class Mutation
{
    private static readonly byte[][] Values =
    [
        .. new[]
        {
            "null", "true", "0", "-1", "0.5", "1e400", "-1e400", "1e30", "2147483647", "2147483648", "-2147483648", "9223372036854775807",
            "18446744073709551616", "100000",
            "\"\"", "\"x\"", "\"\\ud800\"", "\"\\u0000\"", "\"\\u001b[2J\"", "\"Infinity\"", "\"NaN\"", "\"../x\"", "[]", "{}", "[null]",
            "[1,\"x\"]", "{\"a\":1,\"a\":2}",
            new string('[', 100), "\"" + new string('y', 20_000) + "\"", "1" + new string('0', 500),
        }.Select(Encoding.UTF8.GetBytes),
        [(byte)'"', 0xFF, (byte)'"'],
    ];

    private static readonly uint[] Numbers =
    [
        0, 1, 2, 7, 16, 255, 320, 322, 13_000, 0x7FF0, 0xFFFF, 0x10000, 1_000_000, 170_000_000, 0x7FFFFFF0, 0x80000000, 0xFFFFFFF0,
        0xFFFFFFFF,
    ];

    /// <summary>One mutation of an input, sometimes of a mutation.</summary>
    /// <param name="input">A right input.</param>
    /// <param name="random">Where chance comes from.</param>
    /// <param name="isJson">Whether values may be replaced as well as bytes.</param>
    public static byte[] Of(byte[] input, Random random, bool isJson)
    {
        var bytes = input;
        for (var times = random.Next(4) == 0 ? 2 : 1; times > 0; times--)
            bytes = isJson && random.Next(4) != 0 ? OfJson(bytes, random) : OfBytes(bytes, random);
        return bytes;
    }

    /// <summary>One to three mutations of a little-endian TIFF file, most of them in the entries of its directory.</summary>
    /// <param name="input">A right file.</param>
    /// <param name="random">Where chance comes from.</param>
    public static byte[] OfTiff(byte[] input, Random random)
    {
        if (random.Next(4) == 0)
            return OfBytes(input, random);
        var bytes = (byte[])input.Clone();
        var directory = BitConverter.ToInt32(bytes, 4);
        for (var times = 1 + random.Next(3); times > 0; times--)
        {
            // Tag and type of two bytes, count and value of four.
            var entry = directory + 2 + (12 * random.Next(BitConverter.ToUInt16(bytes, directory)));
            uint[] numbers = [.. Numbers, (uint)bytes.Length, (uint)random.Next(), (uint)random.Next(1 << 16)];
            var number = numbers[random.Next(numbers.Length)];
            var (place, size) = random.Next(5) switch { 0 => (0, 2), 1 => (2, 2), 2 => (4, 4), _ => (8, 4) };
            BitConverter.GetBytes(place == 2 ? (uint)random.Next(20) : number).AsSpan(0, size).CopyTo(bytes.AsSpan(entry + place));
        }

        return bytes;
    }

    private static byte[] OfJson(byte[] input, Random random)
    {
        // A file may have one object a line: one of them is mutated.
        var lines = Lines(input);
        var at = random.Next(lines.Count);
        var spans = Spans(lines[at]);
        if (spans.Count == 0)
            return OfBytes(input, random);
        var (start, end, isKey) = spans[random.Next(spans.Count)];
        byte[] value = isKey ? [.. lines[at][start..end], .. ":1,"u8, .. lines[at][start..end]] : Values[random.Next(Values.Length)];
        byte[] line = [.. lines[at][..start], .. value, .. lines[at][end..]];
        return [.. lines.SelectMany((old, i) => i == at ? line : old)];
    }

    private static byte[] OfBytes(byte[] input, Random random)
    {
        if (input.Length == 0)
            return [(byte)random.Next(256)];
        var start = random.Next(input.Length);
        var length = 1 + random.Next(Math.Min(input.Length - start, 64));
        switch (random.Next(6))
        {
            case 0:
                var flipped = (byte[])input.Clone();
                flipped[start] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1:
                return input[..start];
            case 2:
                return [.. input[..start], .. input[(start + length)..]];
            case 3:
                return [.. input[..(start + length)], .. input[start..]];
            case 4:
                var noise = new byte[length];
                random.NextBytes(noise);
                return [.. input[..start], .. noise, .. input[start..]];
            default:
                var filled = (byte[])input.Clone();
                filled.AsSpan(start, length).Fill(random.Next(2) == 0 ? (byte)0xFF : (byte)0);
                return filled;
        }
    }

    private static List<byte[]> Lines(byte[] input)
    {
        if (Spans(input).Count > 0)
            return [input];
        var lines = new List<byte[]>();
        for (var start = 0; start < input.Length;)
        {
            var end = input.AsSpan(start).IndexOf((byte)'\n');
            end = end < 0 ? input.Length : start + end + 1;
            lines.Add(input[start..end]);
            start = end;
        }

        return lines.Count > 0 ? lines : [input];
    }

    private static List<(int Start, int End, bool IsKey)> Spans(byte[] json)
    {
        var spans = new List<(int, int, bool)>();
        try
        {
            var reader = new Utf8JsonReader(json, new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
                    continue;
                var start = (int)reader.TokenStartIndex;
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    spans.Add((start, start + reader.ValueSpan.Length + 2, true));
                    continue;
                }

                var value = reader;
                value.Skip();
                spans.Add((start, (int)value.BytesConsumed, false));
            }
        }
        catch (JsonException)
        {
            return [];
        }

        return spans;
    }
}
