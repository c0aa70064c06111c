using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>All values of a chart, as a table, for custom figures.</summary>
public sealed record ChartData : HtmlView
{
    private const int ShownRows = 20;

    /// <summary>All values: series by series, each in its order, none left out.</summary>
    public required IReadOnlyList<ChartPoint> Points { get; init; }

    /// <summary>What the horizontal axis is of, with its unit; may be empty.</summary>
    public string XTitle { get; init; } = string.Empty;

    /// <summary>The names of the series.</summary>
    public IReadOnlyList<string> Series => [.. Points.Select(point => point.Series).Distinct()];

    /// <summary>The values of one series.</summary>
    /// <param name="series">Its name.</param>
    /// <exception cref="LabException">There is no such series; the message lists them.</exception>
    public IReadOnlyList<ChartPoint> Of(string series) => Points.Any(point => point.Series == series)
        ? [.. Points.Where(point => point.Series == series)]
        : throw new LabException($"The chart has no series '{series}'; it has: {string.Join(", ", Series)}.");

    /// <summary>The first rows of the table.</summary>
    public override string ToText() => Table().ToText();

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer) => Table().Write(writer);

    private TextTable Table()
    {
        static string Number(double value) => value.ToString("g6", CultureInfo.InvariantCulture);
        var labelled = Points.Any(point => !string.IsNullOrEmpty(point.Label));
        (string, Func<ChartPoint, object?>)[] columns =
        [
            ("Series", point => point.Series),
            (XTitle.Length > 0 ? XTitle : "x", point => point.Category ?? Number(point.X)),
            ("y", point => double.IsNaN(point.Y) ? null : Number(point.Y)),
            .. labelled ? new (string, Func<ChartPoint, object?>)[] { ("Label", point => point.Label) } : [],
        ];
        var note = Points.Count > ShownRows ? $"The first {ShownRows} of {Points.Count} values." : string.Empty;
        return TextTable.Of(Points.Take(ShownRows), columns) with { Note = note };
    }
}
