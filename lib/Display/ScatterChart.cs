namespace Dreambooth.Lab.Display;

/// <summary>Points over two axes; labels of the series are shown on hover.</summary>
public sealed record ScatterChart : ChartView
{
    /// <summary>The groups of points.</summary>
    public required IReadOnlyList<ChartSeries> Series { get; init; }

    /// <summary>What the horizontal axis is of, with its unit.</summary>
    public string XTitle { get; init; } = string.Empty;

    /// <summary>What the vertical axis is of, with its unit.</summary>
    public string YTitle { get; init; } = string.Empty;

    /// <summary>Whether the horizontal axis is logarithmic; values of 0 and below are left out then.</summary>
    public bool LogX { get; init; }

    /// <summary>Whether the vertical axis is logarithmic; values of 0 and below are left out then.</summary>
    public bool LogY { get; init; }

    private protected override ChartFigure Figure() => new()
    {
        Title = Title,
        Caption = Caption,
        XTitle = XTitle,
        LogX = LogX,
        Panels = [new ChartPanel { YTitle = YTitle, LogY = LogY, Height = Height,
            Series = [.. Series.Select(series => series with { Mark = series.Mark ?? ChartMark.Points })] }],
    };
}
