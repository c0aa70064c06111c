using System.Globalization;
using System.Runtime.CompilerServices;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>
/// A chart: as SVG in HTML, which follows the theme; as an interactive chart where the front end shows Plotly's; and as a PNG. Long series
/// are thinned to <see cref="MaxPoints"/> points, the spikes kept, so that a chart is small and quick to draw again.
/// </summary>
public abstract record ChartView : HtmlView
{
    // A front end gets the picture twice, in the HTML and by itself, and drawing it takes longest.
    private static readonly ConditionalWeakTable<ChartView, byte[]> Pictures = [];

    /// <summary>A line over the chart; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>A remark under the chart; empty for none.</summary>
    public string Caption { get; init; } = string.Empty;

    /// <summary>Points that a line is thinned to, at least 16. Default 400.</summary>
    public int MaxPoints { get; init; } = 400;

    /// <summary>Pixels of the chart's field, 80 … 1200; charts of several fields give the first this height. Default 260.</summary>
    public int Height { get; init; } = 260;

    /// <summary>Every value of the chart, as a table; nothing is thinned or rounded.</summary>
    /// <exception cref="LabException">A series' parts do not fit together.</exception>
    public ChartData Data
    {
        get
        {
            var figure = Figure();
            var points = figure.Series.SelectMany(series => Points(series, figure.Categories));
            return new ChartData { XTitle = figure.XTitle, Points = [.. points] };
        }
    }

    /// <summary>The chart as a PNG on light paper, 960 pixels wide.</summary>
    public sealed override byte[] ToPng() => Pictures.GetValue(this, static chart => IndexedPng.Encode(ChartPicture.Draw(chart.Drawn())));

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
                Series = [.. panel.Series.Select(
                    (series, i) => Thinned(
                        series, isLinear: !figure.LogX && !panel.LogY) with { Color = series.Color ?? ChartPalette.At(i) })],
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
        var description = string.Join(". ", Lines(figure).Where(line => line.Length > 0));
        if (figure.HasValues)
        {
            ChartSvg.Write(writer, figure, description);
            WriteFallback(writer, description);
        }
        else
        {
            writer.Element("p", figure.Empty, ("class", "lab-note"));
        }

        if (figure.Caption.Length > 0)
            writer.Element("figcaption", figure.Caption);
        writer.Close();
    }

    private static IEnumerable<ChartPoint> Points(ChartSeries series, IReadOnlyList<string>? categories)
    {
        series.Validate();
        var name = series.Meaning ?? series.Name;
        string? Category(double x) => categories is { } names && x % 1 == 0 && x >= 0 && x < names.Count ? names[(int)x] : null;
        return series.Y.Select((y, i) => new ChartPoint(name, Category(series.X[i]), series.X[i], y, series.Labels?[i]));
    }

    private ChartSeries Thinned(ChartSeries series, bool isLinear) => series.Mark switch
    {
        ChartMark.Bars => series,
        ChartMark.FaintPoints => series.Sample(MaxPoints),
        ChartMark.Line or ChartMark.Dashed when isLinear => series.Thin(MaxPoints).Straighten(),
        _ => series.Thin(MaxPoints),
    };

    // Sites that show notebooks may take out drawings and styles: then the picture that the style hides is seen.
    private void WriteFallback(HtmlWriter writer, string description)
    {
        if (!writer.Assets.Contains(ViewAsset.Page))
            writer.Empty(
                "img", ("class", "lab-fallback"), ("src", PictureEmbedding.Data("png", ToPng())), ("alt", description),
                ("loading", "lazy"));
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
            return $"{series.Name}: {string.Join(", ", series.Y.Take(names.Count).Select((_, i) => $"{names[i]} {Text(series, i)}"))}";
        return values.Length == 1 ? $"{series.Name}: {Text(values[0])}"
            : $"{series.Name}: {Text(values[0])} → {Text(values[^1])} (least {Text(values.Min())}, largest {Text(values.Max())})";
    }

    /// <summary>A value with its interval.</summary>
    internal static string Text(ChartSeries series, int place) => Text(series.Y[place])
        + (series.Intervals?[place] is { } interval ? $" ({Text(interval.Low)} … {Text(interval.High)})" : string.Empty);

    private static string Text(double value) => value.ToString("g4", CultureInfo.InvariantCulture);
}
