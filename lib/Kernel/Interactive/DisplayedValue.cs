using Dreambooth.Lab.Kernel.Display;
using Dreambooth.Lab.Kernel.Streams;

namespace Microsoft.DotNet.Interactive;

/// <summary>Something that a cell showed and may replace later, also from a later cell.</summary>
public sealed class DisplayedValue
{
    private readonly ICellHost? _host;
    private readonly string[] _mimeTypes;

    private DisplayedValue(ICellHost? host, string[] mimeTypes) => (_host, _mimeTypes) = (host, mimeTypes);

    /// <summary>The display's id.</summary>
    public string DisplayId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The MIME types that the value was asked to be shown in; empty means the preferred ones.</summary>
    public IReadOnlyCollection<string> MimeTypes => _mimeTypes;

    /// <summary>Shows another value in the place of the former, wherever that is shown.</summary>
    /// <param name="updatedValue">The new value.</param>
    public void Update(object? updatedValue) =>
        (CellConsole.Current ?? _host)?.Display(MimeBundle.Of(updatedValue, _mimeTypes), DisplayId, update: true);

    /// <summary>Shows a value in the output of the cell that calls.</summary>
    internal static DisplayedValue Show(object? value, string[] mimeTypes)
    {
        var shown = new DisplayedValue(CellConsole.Current, mimeTypes);
        shown._host?.Display(MimeBundle.Of(value, mimeTypes), shown.DisplayId, update: false);
        return shown;
    }

    /// <summary>Shows content that is formatted already.</summary>
    internal static DisplayedValue ShowLiteral(string content, string mimeType)
    {
        var shown = new DisplayedValue(CellConsole.Current, [mimeType]);
        shown._host?.Display(MimeBundle.Literal(mimeType, content), shown.DisplayId, update: false);
        return shown;
    }
}
