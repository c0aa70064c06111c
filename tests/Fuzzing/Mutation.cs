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
