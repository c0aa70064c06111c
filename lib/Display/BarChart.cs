using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>Bars over named categories, side by side or on each other.</summary>
public sealed record BarChart : ChartView
{
    /// <summary>The names along the axis.</summary>
    public required IReadOnlyList<string> Categories { get; init; }

    /// <summary>One value for each category, in their order; X is ignored.</summary>
    public required IReadOnlyList<ChartSeries> Series { get; init; }

    /// <summary>What the vertical axis is of, with its unit.</summary>
    public string YTitle { get; init; } = string.Empty;

    /// <summary>What the categories are; empty for none.</summary>
    public string XTitle { get; init; } = string.Empty;

    /// <summary>Whether the bars of a category stand on each other; else side by side.</summary>
    public bool Stacked { get; init; }

    /// <summary>Whether the vertical axis is logarithmic; only for bars side by side.</summary>
    public bool LogY { get; init; }

    private protected override ChartFigure Figure()
    {
        if (Series.FirstOrDefault(series => series.Y.Count != Categories.Count) is { } wrong)
            throw new LabException($"The series \"{wrong.Name}\" has {wrong.Y.Count} values for {Categories.Count} categories.");
        if (Stacked && LogY)
            throw new LabException("Stacked bars have no logarithmic axis: their heights would mean nothing.");
        if (Stacked && Series.Any(series => series.Intervals is not null))
            throw new LabException("Stacked bars have no intervals: they would stand at sums, not at their values.");
        return new ChartFigure
        {
            Title = Title,
            Caption = Caption,
            XTitle = XTitle,
            Categories = Categories,
            Panels =
            [
                new ChartPanel
                {
                    YTitle = YTitle,
                    LogY = LogY,
                    FromZero = !LogY,
                    Height = Height,
                    Stacked = Stacked,
                    Series = [.. Series.Select(
                        series => series with
                        {
                            Mark = series.Mark ?? ChartMark.Bars,
                            X = [.. Enumerable.Range(0, Categories.Count).Select(i => (double)i)],
                        })],
                },
            ],
        };
    }
}
