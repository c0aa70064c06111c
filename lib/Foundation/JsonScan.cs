using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// Scans JSON before it is used: duplicate keys, lone surrogates and bad UTF-8 are reported with their place. .NET reports them late, with
/// an exception of its own and without the place.
/// </summary>
internal static class JsonScan
{
    // Allowed, as in files that people edit.
    private static readonly JsonReaderOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Checks a text and takes a byte order mark off it.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="source">Where it comes from, for the message.</param>
    /// <exception cref="LabException">It is not JSON, or a key or text of it cannot be used; the message names the field.</exception>
    public static ReadOnlySpan<byte> Check(ReadOnlySpan<byte> utf8, string source)
    {
        if (utf8.StartsWith(ByteOrderMark))
            utf8 = utf8[ByteOrderMark.Length..];
        if (!Utf8.IsValid(utf8))
            throw new LabException($"{source} is not UTF-8 text: {BadByte(utf8)}.");
        var reader = new Utf8JsonReader(utf8, Lenient);
        var path = new Place();
        try
        {
            while (reader.Read())
                path.Take(ref reader, source);
        }
        catch (JsonException error)
        {
            throw Malformed(source, path.ToString(), error);
        }

        return utf8;
    }

    private static LabException Malformed(string source, string path, JsonException error)
    {
        var what = error.Message;
        var end = what.IndexOf(" LineNumber:", StringComparison.Ordinal);
        what = ShownText.Line((end >= 0 ? what[..end] : what).TrimEnd('.'));
        var column = error.BytePositionInLine + 1;
        var place = error.LineNumber is { } line
            ? string.Create(CultureInfo.InvariantCulture, $" at line {line + 1}, byte {column}")
            : string.Empty;
        return new LabException($"{source} is not valid JSON{place}{(path.Length > 0 ? $" ({path})" : string.Empty)}: {what}.", error);
    }

    private static string BadByte(ReadOnlySpan<byte> utf8)
    {
        var at = 0;
        while (at < utf8.Length && Rune.DecodeFromUtf8(utf8[at..], out _, out var length) == System.Buffers.OperationStatus.Done)
            at += length;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"the byte 0x{utf8[at]:X2} at line {utf8[..at].Count((byte)'\n') + 1}, offset {at}, belongs to no character");
    }

    /// <summary>The field at the reader's position.</summary>
    private sealed class Place
    {
        // Null for an array, whose items are counted; else the keys seen so far.
        private readonly List<(HashSet<string>? Keys, string Key, int Index)> _parents = [];

        public void Take(ref Utf8JsonReader reader, string source)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    var keys = _parents[^1].Keys!;
                    _parents[^1] = (keys, string.Empty, 0);
                    var key = Text(ref reader, source);
                    if (!keys.Add(key))
                        throw new LabException($"{source}: {WithKey(key)} appears twice; each key may appear once.");
                    _parents[^1] = (keys, key, 0);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    _parents.RemoveAt(_parents.Count - 1);
                    break;
                default:
                    Value(ref reader, source);
                    break;
            }
        }

        public override string ToString()
        {
            var text = string.Empty;
            foreach (var (keys, key, index) in _parents)
                text = keys is null ? JsonField.Item(text, index) : key.Length > 0 ? JsonField.Child(text, key) : text;
            return text;
        }

        private void Value(ref Utf8JsonReader reader, string source)
        {
            if (_parents.Count > 0 && _parents[^1] is (null, _, var index))
                _parents[^1] = (null, string.Empty, index + 1);
            if (reader.TokenType == JsonTokenType.StartObject)
                _parents.Add((new(StringComparer.Ordinal), string.Empty, 0));
            else if (reader.TokenType == JsonTokenType.StartArray)
                _parents.Add((null, string.Empty, -1));
            else if (reader.TokenType == JsonTokenType.String && reader.ValueIsEscaped)
                Text(ref reader, source);
        }

        private string Text(ref Utf8JsonReader reader, string source)
        {
            try
            {
                return reader.GetString()!;
            }
            catch (InvalidOperationException error)
            {
                var what = reader.TokenType == JsonTokenType.PropertyName ? "a key" : "the text";
                var place = ToString() is { Length: > 0 } path ? $"{path}: " : string.Empty;
                throw new LabException(
                    $"{source}: {place}{what} has half of a surrogate pair (\\uD800 to \\uDFFF), which is no character.", error);
            }
        }

        private string WithKey(string key)
        {
            _parents[^1] = (_parents[^1].Keys, key, 0);
            return ToString();
        }
    }
}
