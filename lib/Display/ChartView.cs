using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>
/// A chart: as SVG in HTML, which follows the theme; as an interactive chart where the front end shows Plotly's; and as a PNG. Long series
/// are thinned to <see cref="MaxPoints"/> points, the spikes kept, so that a chart is small and quick to draw again.
/// </summary>
public abstract record ChartView : HtmlView
{
    /// <summary>A line over the chart; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>A remark under the chart; empty for none.</summary>
    public string Caption { get; init; } = string.Empty;

    /// <summary>Points that a series is thinned to, at least 16. Default 400.</summary>
    public int MaxPoints { get; init; } = 400;

    /// <summary>Pixels of the chart's field, 80 … 1200; charts of several fields give the first this height. Default 260.</summary>
    public int Height { get; init; } = 260;

    /// <summary>The chart as a PNG on light paper, 960 pixels wide.</summary>
    public sealed override byte[] ToPng() => IndexedPng.Encode(ChartPicture.Draw(Drawn()));

    /// <summary>The chart as Plotly's JSON.</summary>
    public sealed override string ToPlotlyJson() => ChartPlotly.Write(Drawn());

    /// <summary>Title, and for each series its first, last, least and largest value.</summary>
    public override string ToText() => string.Join("\n", Lines(Drawn()).Where(line => line.Length > 0));

    /// <summary>What is drawn; series need neither mark nor colour.</summary>
    private protected abstract ChartFigure Figure();

    /// <summary>What is drawn, with every mark and colour chosen and long series thinned.</summary>
    /// <exception cref="LabException">A series' parts do not fit together, or an option is out of range.</exception>
    internal ChartFigure Drawn()
    {
        if (MaxPoints < 16 || Height is < 80 or > 1200)
            throw new LabException($"The chart cannot be drawn: MaxPoints is {MaxPoints} (at least 16), Height is {Height} (80 … 1200).");
        var figure = Figure();
        foreach (var series in figure.Series)
            series.Validate();
        return figure with
        {
            Empty = Empty,
            Panels = [.. figure.Panels.Select(panel => panel with
            {
                Series = [.. panel.Series.Select((series, i) => (series.Mark == ChartMark.Bars ? series : series.Thin(MaxPoints)) with { Color = series.Color ?? ChartPalette.At(i) })],
            })],
        };
    }

    /// <inheritdoc/>
    internal sealed override void Write(HtmlWriter writer)
    {
        var figure = Drawn();
        writer.Use(ViewAsset.Chart).Open("figure", ("class", "lab-chart"));
        if (Title.Length > 0)
            writer.Element("h3", Title);
        if (figure.HasValues)
            ChartSvg.Write(writer, figure, string.Join(". ", Lines(figure).Where(line => line.Length > 0)));
        else
            writer.Element("p", figure.Empty, ("class", "lab-note"));
        if (figure.Caption.Length > 0)
            writer.Element("figcaption", figure.Caption);
        writer.Close();
    }

    /// <summary>What stands in the place of a chart without values.</summary>
    private protected virtual string Empty => "Nothing to draw yet.";

    private static IEnumerable<string> Lines(ChartFigure figure)
    {
        yield return figure.Title;
        foreach (var series in figure.Series.Where(series => series.Name.Length > 0))
            yield return Line(series, figure.Categories);
        yield return figure.Caption;
    }

    private static string Line(ChartSeries series, IReadOnlyList<string>? categories)
    {
        double[] values = [.. series.Y.Where(double.IsFinite)];
        if (values.Length == 0)
            return $"{series.Name}: no values";
        if (categories is { } names && series.Mark == ChartMark.Bars)
            return $"{series.Name}: {string.Join(", ", series.Y.Take(names.Count).Select((value, i) => $"{names[i]} {Text(value)}"))}";
        return values.Length == 1 ? $"{series.Name}: {Text(values[0])}"
            : $"{series.Name}: {Text(values[0])} → {Text(values[^1])} (least {Text(values.Min())}, largest {Text(values.Max())})";
    }

    private static string Text(double value) => value.ToString("g4", CultureInfo.InvariantCulture);
}
