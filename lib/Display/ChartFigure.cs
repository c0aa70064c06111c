namespace Dreambooth.Lab.Display;

/// <summary>Everything that a chart shows, before it becomes an SVG, an interactive chart or a picture.</summary>
internal sealed record ChartFigure
{
    /// <summary>A line over the chart; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>A remark under it; empty for none.</summary>
    public string Caption { get; init; } = string.Empty;

    /// <summary>What stands in the place of a chart without values.</summary>
    public string Empty { get; init; } = string.Empty;

    /// <summary>What the horizontal axis is of, with its unit.</summary>
    public string XTitle { get; init; } = string.Empty;

    /// <summary>Whether the horizontal axis is logarithmic.</summary>
    public bool LogX { get; init; }

    /// <summary>Names along the horizontal axis instead of numbers; null for numbers.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    /// <summary>The least range of the horizontal axis, widened by the values; null for the values' own.</summary>
    public (double From, double To)? XRange { get; init; }

    /// <summary>The panels, from top to bottom, over one horizontal axis.</summary>
    public required IReadOnlyList<ChartPanel> Panels { get; init; }

    /// <summary>Whether there is anything to draw.</summary>
    public bool HasValues => Series.Any(series => series.Y.Count > 0);

    /// <summary>Every series.</summary>
    public IEnumerable<ChartSeries> Series => Panels.SelectMany(panel => panel.Series);
}
