namespace Dreambooth.Lab.Display;

/// <summary>One field of a chart with a vertical axis of its own.</summary>
internal sealed record ChartPanel
{
    /// <summary>What the vertical axis is of, with its unit.</summary>
    public string YTitle { get; init; } = string.Empty;

    /// <summary>Whether the vertical axis is logarithmic.</summary>
    public bool LogY { get; init; }

    /// <summary>Whether the vertical axis starts at zero.</summary>
    public bool FromZero { get; init; }

    /// <summary>The largest value that must be seen; larger ones are drawn at the edge. Null shows all.</summary>
    public double? Ceiling { get; init; }

    /// <summary>Pixels of its height.</summary>
    public int Height { get; init; } = 260;

    /// <summary>Whether bars stand on each other instead of side by side.</summary>
    public bool Stacked { get; init; }

    /// <summary>The series with mark and colour set; later ones are drawn over earlier ones.</summary>
    public required IReadOnlyList<ChartSeries> Series { get; init; }

    /// <summary>The bars among the series.</summary>
    public IReadOnlyList<ChartSeries> Bars => [.. Series.Where(series => series.Mark == ChartMark.Bars)];

    /// <summary>Each value that decides the vertical range: of stacked bars their sums.</summary>
    public IEnumerable<double> Extents()
    {
        var values = Series.Where(series => !Stacked || series.Mark != ChartMark.Bars)
            .SelectMany(series => series.Y.Concat(Ends(series.Intervals)));
        if (Stacked && Bars.Count > 0)
            values = values.Concat(
                Enumerable.Range(0, Bars.Max(bars => bars.Y.Count))
                    .Select(i => Bars.Sum(bars => i < bars.Y.Count && double.IsFinite(bars.Y[i]) ? bars.Y[i] : 0)));
        values = values.Where(value => double.IsFinite(value) && (!LogY || value > 0));
        return Ceiling is { } top ? values.Where(value => value <= top).Append(top) : values;
    }

    private static IEnumerable<double> Ends(IReadOnlyList<(double Low, double High)?>? intervals) =>
        (intervals ?? []).OfType<(double Low, double High)>().SelectMany(interval => new[] { interval.Low, interval.High });
}
