using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Kernel.Display;

/// <summary>Turns values into what Jupyter shows, by the formatters that are registered, always with a plain-text fallback.</summary>
internal static partial class MimeBundle
{
    private const int PlainTextLimit = 20_000;

    /// <summary>A value in the types that are preferred for it.</summary>
    /// <param name="value">Any value, also null, or values that are formatted already.</param>
    public static IReadOnlyList<FormattedValue> Format(object? value) => value switch
    {
        FormattedValue formatted => [formatted],
        IEnumerable<FormattedValue> several => [.. several],
        _ when IsShownAsText(value) => [new FormattedValue(PlainTextFormatter.MimeType, PlainText(value))],
        _ => FormattedValue.CreateManyFromObject(value),
    };

    /// <summary>The bundle of a value.</summary>
    /// <param name="value">Any value, also null.</param>
    public static JsonObject Of(object? value) => Of(value, Format(value));

    /// <summary>The bundle of a value that was formatted.</summary>
    /// <param name="value">The value.</param>
    /// <param name="formatted">Its forms.</param>
    /// <returns>MIME type to content.</returns>
    public static JsonObject Of(object? value, IEnumerable<FormattedValue> formatted)
    {
        var bundle = new JsonObject();
        foreach (var form in formatted)
            bundle[form.MimeType] = Content(form.MimeType, form.Value);
        if (!bundle.ContainsKey(PlainTextFormatter.MimeType))
            bundle[PlainTextFormatter.MimeType] = value is string && bundle.Count > 0 ? Start(value.ToString()!) : PlainText(value);
        return bundle;
    }

    // Simple values, unless a formatter is registered for their type.
    private static bool IsShownAsText(object? value)
    {
        if (value is not (null or string or bool or char or Enum or decimal) && value.GetType() is not { IsPrimitive: true })
            return false;
        return value is null || !Formatter.RegisteredFormatters(false).Any(f => f.Type == value.GetType());
    }

    private static string PlainText(object? value)
    {
        string text;
        try
        {
            text = value as string ?? value.ToDisplayString(PlainTextFormatter.MimeType);
        }
        catch (Exception e) when (e is not Engine.CellInterruptedException)
        {
            text = value?.GetType().ToString() ?? "<null>";
        }

        return text.Length <= PlainTextLimit ? text : text[..PlainTextLimit] + "…";
    }

    private static string Start(string content) => content.Length <= 200 ? content : content[..200] + "…";

    // Jupyter wants the content of JSON types as JSON, not as text that holds JSON.
    private static JsonNode? Content(string type, string content) =>
        type is "application/json" || type.EndsWith("+json", StringComparison.Ordinal) ? JsonNode.Parse(content)
        : type == HtmlFormatter.MimeType && content.Contains("class=\"dni-plaintext\"", StringComparison.Ordinal)
            && !content.Contains("class=\"dni-treeview\"", StringComparison.Ordinal) ? DefaultStyle().Replace(content, "")
        : content;

    [GeneratedRegex(@"<style>\s*\.dni-code-hint.*?</style>", RegexOptions.Singleline)]
    private static partial Regex DefaultStyle();
}
