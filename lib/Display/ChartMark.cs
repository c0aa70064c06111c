namespace Dreambooth.Lab.Display;

/// <summary>How a <see cref="ChartSeries"/> is drawn.</summary>
public enum ChartMark
{
    /// <summary>A line through the points.</summary>
    Line,

    /// <summary>A dot for each point.</summary>
    Points,

    /// <summary>Dots that stand back behind the lines.</summary>
    FaintPoints,

    /// <summary>A dashed line.</summary>
    Dashed,

    /// <summary>A line with a dot at each point, for few points.</summary>
    LineAndPoints,

    /// <summary>Bars from zero, one for each category.</summary>
    Bars,
}
