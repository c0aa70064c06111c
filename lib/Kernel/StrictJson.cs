using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel;

/// <summary>JSON that came from outside, read so that whatever is wrong is a <see cref="JsonException"/> that names the field.</summary>
internal static class StrictJson
{
    private const int MostShown = 100;

    private static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a text whose every name and string can be read later without an exception.</summary>
    /// <param name="utf8">The text.</param>
    /// <returns>The value; null for JSON's null.</returns>
    /// <exception cref="JsonException">It is not JSON, not UTF-8, holds half a surrogate pair, or one object has a name twice.</exception>
    public static JsonNode? Parse(ReadOnlyMemory<byte> utf8)
    {
        Check(utf8);
        return JsonNode.Parse(utf8.Span);
    }

    /// <summary>Reads a text that must hold an object.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="what">What the object is, for the message.</param>
    /// <exception cref="JsonException">It holds something else, or see <see cref="Parse"/>.</exception>
    public static JsonObject ParseObject(ReadOnlyMemory<byte> utf8, string what)
    {
        JsonNode? node;
        try
        {
            node = Parse(utf8);
        }
        catch (JsonException e)
        {
            throw new JsonException($"{what}: {e.Message}", e);
        }

        return node as JsonObject ?? throw new JsonException($"{what} is {Kind(node)}; an object is needed");
    }

    /// <summary>A text field; null when it is missing or null.</summary>
    /// <param name="parent">The object.</param>
    /// <param name="name">The field.</param>
    /// <param name="what">What the object is, for the message.</param>
    /// <exception cref="JsonException">The field is no text.</exception>
    public static string? Text(JsonObject? parent, string name, string what) =>
        parent?[name] is not { } node ? null
        : node is JsonValue value && value.TryGetValue<string>(out var text) ? text
        : throw Wrong(what, name, node, "text");

    /// <summary>An object field; null when it is missing or null.</summary>
    /// <param name="parent">The object.</param>
    /// <param name="name">The field.</param>
    /// <param name="what">What the object is, for the message.</param>
    /// <exception cref="JsonException">The field is no object.</exception>
    public static JsonObject? Object(JsonObject? parent, string name, string what) =>
        parent?[name] is not { } node ? null : node as JsonObject ?? throw Wrong(what, name, node, "an object");

    /// <summary>A list of texts; null when it is missing or null.</summary>
    /// <param name="parent">The object.</param>
    /// <param name="name">The field.</param>
    /// <param name="what">What the object is, for the message.</param>
    /// <exception cref="JsonException">The field is no list, or an entry is no text.</exception>
    public static IReadOnlyList<string>? Texts(JsonObject? parent, string name, string what)
    {
        if (parent?[name] is not { } node)
            return null;
        if (node is not JsonArray list)
            throw Wrong(what, name, node, "a list of texts");
        return [.. list.Select((entry, i) => entry is JsonValue value && value.TryGetValue<string>(out var text)
            ? text : throw Wrong(what, FormattableString.Invariant($"{name}[{i}]"), entry, "text"))];
    }

    /// <summary>The beginning of a text, for a message.</summary>
    /// <param name="text">Any text.</param>
    public static string Beginning(string text) => text.Length <= MostShown ? text : text[..MostShown] + "…";

    /// <summary>The error for a field of the wrong kind.</summary>
    public static JsonException Wrong(string what, string name, JsonNode? node, string needed) =>
        new($"{what}: {name} is {Kind(node)}; {needed} is needed");

    /// <summary>A value's kind and, of short ones, the value.</summary>
    public static string Kind(JsonNode? node)
    {
        if (node is JsonObject or JsonArray or null)
            return node is null ? "null" : node is JsonArray ? "a list" : "an object";
        var text = node.ToJsonString();
        return text.Length <= 40 ? text : text[..40] + "…";
    }

    /// <summary>Reads a text to its end.</summary>
    /// <exception cref="JsonException">See <see cref="Parse"/>.</exception>
    public static void Check(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var json = JsonDocument.Parse(utf8, s_options);
            CheckTexts(json.RootElement, "");
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a name is no valid Unicode", e);
        }
    }

    private static void CheckTexts(JsonElement element, string path)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
                CheckTexts(property.Value, path.Length == 0 ? property.Name : $"{path}.{property.Name}");
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            var i = 0;
            foreach (var entry in element.EnumerateArray())
                CheckTexts(entry, FormattableString.Invariant($"{path}[{i++}]"));
        }
        else if (element.ValueKind == JsonValueKind.String)
        {
            try
            {
                _ = element.GetString();
            }
            catch (InvalidOperationException e)
            {
                throw new JsonException($"{path} is no valid Unicode text (half a surrogate pair, or bytes that are not UTF-8)", e);
            }
        }
    }
}
