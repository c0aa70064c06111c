using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Kernel.Display;

/// <summary>Turns values into MIME bundles by the formatters that are registered, always with a plain-text fallback.</summary>
internal static partial class MimeBundle
{
    private const int PlainTextLimit = 20_000;

    /// <summary>The bundle of a value in the types that are preferred for it.</summary>
    /// <param name="value">Any value, also null.</param>
    /// <param name="mimeTypes">The types wanted; none means the preferred ones.</param>
    /// <returns>MIME type to content.</returns>
    public static JsonObject Of(object? value, params IReadOnlyCollection<string> mimeTypes)
    {
        if (value is IMimeBundle own && mimeTypes.Count == 0)
            return WithJsonParsed(own.ToMimeBundle().Select(p => (p.Key, p.Value)));
        var types = mimeTypes.Count > 0 ? mimeTypes : Preferred(value);
        var bundle = WithJsonParsed(types.Select(type => (type, Trim(type, Formatted(value, type)))));
        if (!bundle.ContainsKey(PlainTextFormatter.MimeType))
            bundle[PlainTextFormatter.MimeType] = PlainText(value);
        return bundle;
    }

    /// <summary>A bundle of one type with a plain-text fallback.</summary>
    /// <param name="mimeType">The type.</param>
    /// <param name="content">Its content.</param>
    /// <returns>The bundle.</returns>
    public static JsonObject Literal(string mimeType, string content)
    {
        var bundle = WithJsonParsed([(mimeType, content)]);
        if (mimeType != PlainTextFormatter.MimeType)
            bundle[PlainTextFormatter.MimeType] = content.Length <= 200 ? content : content[..200] + "…";
        return bundle;
    }

    private static IReadOnlyCollection<string> Preferred(object? value)
    {
        var preferred = Formatter.GetPreferredMimeTypesFor(value?.GetType());
        // Simple values need no HTML around them, unless somebody registered a formatter for their type.
        var isSimple = value is null or string or bool or char or Enum || value.GetType() is { IsPrimitive: true } || value is decimal;
        if (!isSimple)
            return preferred;
        var registered = Formatter.RegisteredFormatters(false)
            .Where(f => value is not null && f.Type == value.GetType()).Select(f => f.MimeType).Intersect(preferred).ToList();
        return registered.Count > 0 ? registered : [PlainTextFormatter.MimeType];
    }

    private static string Formatted(object? value, string mimeType) =>
        value is string text && mimeType == PlainTextFormatter.MimeType ? text : value.ToDisplayString(mimeType);

    private static string PlainText(object? value)
    {
        string text;
        try
        {
            text = value.ToDisplayString(PlainTextFormatter.MimeType);
        }
        catch (Exception e) when (e is not Engine.CellInterruptedException)
        {
            text = value?.GetType().ToString() ?? "<null>";
        }

        return text.Length <= PlainTextLimit ? text : text[..PlainTextLimit] + "…";
    }

    private static string Trim(string mimeType, string content) =>
        mimeType == HtmlFormatter.MimeType && content.Contains("class=\"dni-plaintext\"", StringComparison.Ordinal)
            && !content.Contains("class=\"dni-treeview\"", StringComparison.Ordinal)
                ? DefaultStyle().Replace(content, "")
                : content;

    // Jupyter wants the content of JSON types as JSON, not as text that holds JSON.
    private static JsonObject WithJsonParsed(IEnumerable<(string Type, string Content)> entries)
    {
        var bundle = new JsonObject();
        foreach (var (type, content) in entries)
            bundle[type] = type is "application/json" || type.EndsWith("+json", StringComparison.Ordinal) ? JsonNode.Parse(content) : content;
        return bundle;
    }

    [GeneratedRegex(@"<style>\s*\.dni-code-hint.*?</style>", RegexOptions.Singleline)]
    private static partial Regex DefaultStyle();
}
