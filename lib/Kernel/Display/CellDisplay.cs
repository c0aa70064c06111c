using System.Collections.Concurrent;
using System.ComponentModel;
using Dreambooth.Lab.Kernel.Streams;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Kernel.Display;

/// <summary>
/// <c>display</c> as cells of this kernel have it: what it returns updates what it showed, from later cells and from what runs on in the
/// background, too. The package's own <c>display</c> returns a value of another id than it shows.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class CellDisplay
{
    /// <summary>The functions and extension methods, as the first cell of a session; nearer than the package's, they hide those.</summary>
    internal const string Functions = """
        static Microsoft.DotNet.Interactive.Formatting.DisplayedValue display(object value, params string[] mimeTypes) =>
            Dreambooth.Lab.Kernel.Display.CellDisplay.Show(value, mimeTypes);
        static Microsoft.DotNet.Interactive.Formatting.DisplayedValue Display(this object value, params string[] mimeTypes) =>
            Dreambooth.Lab.Kernel.Display.CellDisplay.Show(value, mimeTypes);
        static Microsoft.DotNet.Interactive.Formatting.DisplayedValue Display(
            this Microsoft.DotNet.Interactive.KernelInvocationContext context, object value, params string[] mimeTypes) =>
            Dreambooth.Lab.Kernel.Display.CellDisplay.Show(value, mimeTypes);
        static Microsoft.DotNet.Interactive.Formatting.DisplayedValue Display(
            this Microsoft.DotNet.Interactive.KernelInvocationContext context, string value, params string[] mimeTypes) =>
            Dreambooth.Lab.Kernel.Display.CellDisplay.Show(value, mimeTypes);
        static Microsoft.DotNet.Interactive.Formatting.DisplayedValue DisplayAs(this string value, string mimeType) =>
            Dreambooth.Lab.Kernel.Display.CellDisplay.ShowAs(value, mimeType);
        """;

    // Displays whose MIME types the cell named. The package updates every display in the types of its first value: a text that
    // becomes HTML would show its source.
    private static readonly ConcurrentDictionary<string, bool> s_named = new();

    static CellDisplay() => Formatter.SubscribeToDisplayedValues(ShowOutsideOfCells);

    /// <summary>Shows a value in the output of the cell that calls.</summary>
    /// <param name="value">Any value.</param>
    /// <param name="mimeTypes">The MIME types; none means those preferred for its type.</param>
    /// <returns>The display, which can be updated.</returns>
    public static DisplayedValue Show(object? value, string[] mimeTypes) =>
        mimeTypes is { Length: > 0 }
            ? ShowAs(new DisplayedValue(value, FormattedValue.CreateManyFromObject(value, mimeTypes)))
            : Show(new DisplayedValue(value, MimeBundle.Format(value)));

    /// <summary>Shows text as one MIME type.</summary>
    /// <param name="value">The text.</param>
    /// <param name="mimeType">The type.</param>
    /// <returns>The display, which can be updated.</returns>
    public static DisplayedValue ShowAs(string value, string mimeType) =>
        ShowAs(new DisplayedValue(value, [new FormattedValue(mimeType, value)]));

    /// <summary>
    /// What an update shows: the value in the types preferred for it, or in those that the display was made with by name.
    /// </summary>
    /// <param name="id">The display.</param>
    /// <param name="value">The new value.</param>
    /// <param name="formatted">The value in the types of the first.</param>
    internal static IReadOnlyCollection<FormattedValue> Updated(string? id, object? value, IReadOnlyCollection<FormattedValue> formatted) =>
        id is not null && s_named.ContainsKey(id) ? formatted : MimeBundle.Format(value);

    private static DisplayedValue ShowAs(DisplayedValue shown)
    {
        s_named[shown.DisplayId] = true;
        return Show(shown);
    }

    private static DisplayedValue Show(DisplayedValue shown)
    {
        // The cell's command passes its events on to its sender.
        if (KernelInvocationContext.Current is { IsComplete: false } cell)
            cell.Publish(new DisplayedValueProduced(shown.Value, cell.Command, shown.FormattedValues, shown.DisplayId));
        else
            ShowOutsideOfCells(shown);
        return shown;
    }

    // The package drops what comes when a cell has ended.
    private static void ShowOutsideOfCells(DisplayedValue shown)
    {
        if (KernelInvocationContext.Current is { IsComplete: false })
            return;
        var formatted = shown.IsUpdated ? Updated(shown.DisplayId, shown.Value, shown.FormattedValues) : shown.FormattedValues;
        CellConsole.Current?.Display(MimeBundle.Of(shown.Value, formatted), shown.DisplayId, shown.IsUpdated);
    }
}
