using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting.TabularData;

// In this namespace, as in .NET Interactive, because every cell imports it.
namespace System;

/// <summary>Extension methods that show a value in the cell's output.</summary>
public static class DisplayExtensions
{
    /// <summary>Shows a value.</summary>
    /// <param name="value">Any value.</param>
    /// <param name="mimeTypes">The MIME types; none means those preferred for its type.</param>
    /// <returns>The display, which can be updated.</returns>
    public static DisplayedValue Display(this object? value, params string[] mimeTypes) => DisplayedValue.Show(value, mimeTypes);

    /// <summary>Shows text as one MIME type.</summary>
    /// <param name="value">The text.</param>
    /// <param name="mimeType">The type, for example <c>text/html</c>.</param>
    /// <returns>The display, which can be updated.</returns>
    public static DisplayedValue DisplayAs(this string value, string mimeType) => DisplayedValue.ShowLiteral(value, mimeType);

    /// <summary>Shows a sequence as a table: a row for each item, a column for each property.</summary>
    /// <typeparam name="T">The items' type.</typeparam>
    /// <param name="value">The items.</param>
    /// <param name="mimeTypes">The MIME types; default <c>text/html</c>.</param>
    /// <returns>The display, which can be updated.</returns>
    public static DisplayedValue DisplayTable<T>(this IEnumerable<T> value, params string[] mimeTypes) =>
        DisplayedValue.Show(value is TabularDataResource ? value : Dreambooth.Lab.Kernel.Display.HtmlTable.Of(value), mimeTypes);
}
