using System.Globalization;
using System.Text.Json;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// A value of a JSON file with its path in the file. It is read with the type that is asked for, or a <see cref="LabException"/> says in
/// one line which field of which file is wrong, what it is and what would be right.
/// </summary>
/// <param name="Element">The value; its texts, and the keys of all below it, have been checked.</param>
/// <param name="Source">The file, with the line where it has one object a line.</param>
/// <param name="Path">The field, as <c>vae.block_out_channels[2]</c>; empty for the whole.</param>
internal readonly record struct JsonField(JsonElement Element, string Source, string Path)
{
    /// <summary>The largest JSON file that is read, in bytes.</summary>
    public const int MostBytes = 32 << 20;

    private const int MostShown = 80;

    /// <summary>Whether it is null.</summary>
    public bool IsNull => Element.ValueKind == JsonValueKind.Null;

    /// <summary>Whether it is a text.</summary>
    public bool IsText => Element.ValueKind == JsonValueKind.String;

    /// <summary>Whether it is an object.</summary>
    public bool IsObject => Element.ValueKind == JsonValueKind.Object;

    /// <summary>Whether it is a list.</summary>
    public bool IsList => Element.ValueKind == JsonValueKind.Array;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it is, for the message where it cannot be read and its name does not tell: "recipe".</param>
    /// <exception cref="LabException">It is missing, too large, not UTF-8 or not JSON, or a key stands in it twice.</exception>
    public static JsonField ReadFile(string path, string? what = null)
    {
        try
        {
            RegularFile.Require(path);
            using var stream = File.OpenRead(path);
            if (stream.Length > MostBytes)
                throw new LabException($"{path} has {stream.Length} bytes; a JSON file of at most {MostBytes} is read.");
            var bytes = new byte[stream.Length];
            return Parse(bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)), path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"{(what is null ? path : $"The {what} {path}")} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads JSON; comments and trailing commas are allowed.</summary>
    /// <param name="utf8">The text, in UTF-8.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="LabException">It is not UTF-8 or not JSON, or a key stands in it twice.</exception>
    public static JsonField Parse(ReadOnlySpan<byte> utf8, string source)
    {
        if (utf8.Length > MostBytes)
            throw new LabException($"{source} has {utf8.Length} bytes; JSON of at most {MostBytes} is read.");
        utf8 = JsonScan.Check(utf8, source);
        return new(
            JsonElement.Parse(utf8, new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip }), source,
            string.Empty);
    }

    /// <summary>Reads a line of a log.</summary>
    /// <param name="line">The line.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <returns>Null where it is no whole JSON, as the last line of a run that was killed while writing.</returns>
    /// <exception cref="LabException">A key stands in it twice, or a text has half of a surrogate pair.</exception>
    public static JsonField? ParseLine(string line, string source)
    {
        try
        {
            return Parse(line, source);
        }
        catch (LabException error) when (error.InnerException is JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads JSON; comments and trailing commas are allowed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <exception cref="LabException">It is not JSON, or a key stands in it twice.</exception>
    public static JsonField Parse(string text, string source) => Parse(System.Text.Encoding.UTF8.GetBytes(text), source);

    /// <summary>A field of an object.</summary>
    /// <param name="key">Its key.</param>
    /// <returns>Null where it is missing or null.</returns>
    /// <exception cref="LabException">This is no object.</exception>
    public JsonField? Find(string key) => RequireObject().TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null
        ? new JsonField(value, Source, Child(Path, key))
        : null;

    /// <summary>A field that an object must have.</summary>
    /// <param name="key">Its key.</param>
    /// <exception cref="LabException">It is missing, or this is no object.</exception>
    public JsonField Get(string key) => RequireObject().TryGetProperty(key, out var value)
        ? new JsonField(value, Source, Child(Path, key))
        : throw new LabException($"{Source}: {Child(Path, key)} is missing.");

    /// <summary>The fields of an object, in order.</summary>
    /// <exception cref="LabException">This is no object.</exception>
    public IEnumerable<(string Key, JsonField Value)> Entries()
    {
        var (source, path) = (Source, Path);
        return RequireObject().EnumerateObject().Select(entry => (entry.Name, new JsonField(entry.Value, source, Child(path, entry.Name))));
    }

    /// <summary>The items of a list, in order.</summary>
    /// <exception cref="LabException">This is no list.</exception>
    public IEnumerable<JsonField> Items()
    {
        var (source, path) = (Source, Path);
        return IsList
            ? Element.EnumerateArray().Select((item, index) => new JsonField(item, source, Item(path, index)))
            : throw Wrong("a list");
    }

    /// <summary>The text that it is.</summary>
    /// <exception cref="LabException">It is none.</exception>
    public string Text() => IsText ? Element.GetString()! : throw Wrong("a text");

    /// <summary>True or false.</summary>
    /// <exception cref="LabException">It is neither.</exception>
    public bool Truth() => Element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong("true or false"),
    };

    /// <summary>The whole number that it is.</summary>
    /// <param name="least">The smallest that is valid.</param>
    /// <param name="most">The largest that is valid.</param>
    /// <exception cref="LabException">It is none, or out of the range.</exception>
    public long Whole(long least = long.MinValue, long most = long.MaxValue) =>
        Element.ValueKind == JsonValueKind.Number && Element.TryGetInt64(out var number) && number >= least && number <= most
            ? number
            : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));

    /// <summary>The whole number that it is, as <see cref="int"/>.</summary>
    /// <param name="least">The smallest that is valid.</param>
    /// <param name="most">The largest that is valid.</param>
    /// <exception cref="LabException">It is none, or out of the range.</exception>
    public int Int(int least = int.MinValue, int most = int.MaxValue) => (int)Whole(least, most);

    /// <summary>The finite number that it is.</summary>
    /// <exception cref="LabException">It is none, or too large for a <see cref="double"/>.</exception>
    public double Number() => Element.ValueKind == JsonValueKind.Number && Element.TryGetDouble(out var number) && double.IsFinite(number)
        ? number
        : throw Wrong("a finite number");

    /// <summary>The object that it is, with the naming of <see cref="JsonFile.Options"/>.</summary>
    /// <typeparam name="T">What it is read as.</typeparam>
    /// <exception cref="LabException">A field is missing, null or of another type.</exception>
    public T To<T>()
    {
        try
        {
            return Element.Deserialize<T>(JsonFile.Options) ?? throw Wrong("a JSON object");
        }
        catch (JsonException error)
        {
            throw JsonMisread.Explain(this, typeof(T), error);
        }
    }

    /// <summary>The error that this value is.</summary>
    /// <param name="valid">What would be right.</param>
    public LabException Wrong(string valid) =>
        new(
            $"{Source}{(Path.Length > 0 ? $": {Path}" : string.Empty)} is {ShownText.Line(Element.GetRawText(), MostShown)}; valid is "
            + $"{valid}.");

    /// <summary>The path of an object's field.</summary>
    public static string Child(string path, string key) =>
        $"{path}{(path.Length > 0 ? "." : string.Empty)}{ShownText.Line(key, MostShown)}";

    /// <summary>The path of a list's item.</summary>
    public static string Item(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");

    private JsonElement RequireObject() => IsObject ? Element : throw Wrong("a JSON object");
}
