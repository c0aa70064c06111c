using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Display;

/// <summary>Draws a chart as inline SVG that follows the theme of what it stands in.</summary>
internal sealed class ChartSvg
{
    private readonly HtmlWriter _writer;
    private readonly ChartFigure _figure;
    private readonly ChartLayout _layout;

    private const int MiddleWidth = 640;
    private const int NarrowWidth = 400;
    private const int CapSize = 4;

    private ChartSvg(HtmlWriter writer, ChartFigure figure, int width) =>
        (_writer, _figure, _layout) = (writer, figure, new ChartLayout(figure, width));

    /// <summary>
    /// Draws a chart that has values. A page gets it for three widths, of which its style shows the one that fits: scaled down, the type
    /// could not be read. A notebook, whose size counts, gets the widest.
    /// </summary>
    public static void Write(HtmlWriter writer, ChartFigure figure, string description)
    {
        writer.Open("div", ("class", "lab-scroll"));
        var isPage = writer.Assets.Contains(ViewAsset.Page);
        new ChartSvg(writer, figure, ChartLayout.FullWidth).Write(description, isPage ? "lab-wide" : null);
        if (isPage)
        {
            new ChartSvg(writer, figure, MiddleWidth).Write(description, "lab-middle");
            new ChartSvg(writer, figure, NarrowWidth).Write(description, "lab-narrow");
        }

        writer.Close();
    }

    private void Write(string description, string? style)
    {
        _writer.Open(
            "svg", ("class", style), ("viewBox", $"0 0 {_layout.Width} {Number(_layout.Height)}"), ("role", "img"),
            ("aria-label", description));
        foreach (var field in _layout.Fields)
            WriteField(field);
        foreach (var text in _layout.Texts)
            WriteText(text.Text, text.X, text.Y, text.Side, isSlanted: text.IsSlanted);
        foreach (var key in _layout.Keys)
            WriteKey(key);
        _writer.Close();
    }

    private void WriteField(ChartField field)
    {
        var rules = string.Concat(
            field.Ticks.Select(tick => $"M{Number(_layout.Left)} {Number(field.Y.At(tick))}H{Number(_layout.Right)}"));
        _writer.Empty("path", ("class", "lab-rule"), ("d", rules));
        foreach (var bar in _layout.Bars(field))
            WriteBar(bar, field.Y);
        foreach (var series in field.Panel.Series.Where(series => series.Mark != ChartMark.Bars))
            WriteSeries(series, field.Y);
        var intervals = string.Concat(_layout.Intervals(field).Select(interval => Path(interval, field.Y)));
        if (intervals.Length > 0)
            _writer.Empty("path", ("class", "lab-interval"), ("d", intervals));
    }

    // From end to end, each with a short line across.
    private string Path(ChartInterval interval, PlotAxis y)
    {
        var (x, low, high) = (_layout.X.At(interval.X), Number(y.At(interval.Low)), Number(y.At(interval.High)));
        var (left, right) = (Number(x - CapSize), Number(x + CapSize));
        return $"M{Number(x)} {low}V{high}M{left} {low}H{right}M{left} {high}H{right}";
    }

    private void WriteBar(ChartBar bar, PlotAxis y)
    {
        double a = y.At(bar.From), b = y.At(bar.To);
        double left = _layout.X.At(bar.Center - (bar.Width / 2)), right = _layout.X.At(bar.Center + (bar.Width / 2));
        _writer.Open(
            "rect", ("x", Number(left)), ("y", Number(Math.Min(a, b))), ("width", Number(right - left)),
            ("height", Number(Math.Abs(a - b))), ("style", $"fill:{Color(bar.Series)}"));
        _writer.Element(
            "title", bar.Series.Labels?[bar.Place] ?? $"{_figure.Categories![bar.Place]}, {bar.Series.Name}: "
                + ChartView.Text(bar.Series, bar.Place)).Close();
    }

    private void WriteSeries(ChartSeries series, PlotAxis y)
    {
        if (series.IsLine)
            _writer.Empty(
                "path", ("class", series.Mark == ChartMark.Dashed ? "lab-dash" : null), ("style", $"stroke:{Color(series)}"),
                ("d", Path(series, y)));
        if (series.Mark is ChartMark.Points or ChartMark.LineAndPoints && series.Labels is { } labels)
        {
            for (var i = 0; i < series.Y.Count; i++)
            {
                if (!_layout.X.Has(series.X[i]) || !y.Has(series.Y[i]))
                    continue;
                _writer.Open(
                    "circle", ("cx", Number(_layout.X.At(series.X[i]))), ("cy", Number(y.At(series.Y[i]))),
                    ("r", series.Mark == ChartMark.Points ? "4.5" : "3.5"), ("style", $"fill:{Color(series)}"));
                _writer.Element("title", labels[i]).Close();
            }
        }
        else if (series.Mark is ChartMark.Points or ChartMark.LineAndPoints or ChartMark.FaintPoints)
        {
            var faint = series.Mark == ChartMark.FaintPoints;
            _writer.Empty(
                "path", ("class", faint ? "lab-faint" : null),
                ("style", $"stroke:{Color(series)};stroke-width:{(faint ? 4 : series.Mark == ChartMark.Points ? 9 : 7)}"),
                ("d", Dots(series, y)));
        }
    }

    private string Path(ChartSeries series, PlotAxis y)
    {
        var path = new StringBuilder();
        var drawing = false;
        for (var i = 0; i < series.Y.Count; i++)
        {
            var has = _layout.X.Has(series.X[i]) && y.Has(series.Y[i]);
            if (has)
                path.Append(drawing ? 'L' : 'M').Append(Place(series, i, y));
            drawing = has;
        }

        return path.ToString();
    }

    // Strokes of no length with round ends: many dots in one short path.
    private string Dots(ChartSeries series, PlotAxis y) => string.Concat(Enumerable.Range(0, series.Y.Count)
        .Where(i => _layout.X.Has(series.X[i]) && y.Has(series.Y[i])).Select(i => $"M{Place(series, i, y)}h0"));

    private string Place(ChartSeries series, int i, PlotAxis y) =>
        string.Create(CultureInfo.InvariantCulture, $"{_layout.X.At(series.X[i]):0.#} {y.At(series.Y[i]):0.#}");

    private void WriteKey(ChartKey key)
    {
        var color = Color(key.Series);
        var at = Number(key.Y);
        if (key.Series.Mark == ChartMark.Bars)
            _writer.Empty(
                "rect", ("x", Number(key.X)), ("y", Number(key.Y - 6)), ("width", "12"), ("height", "12"), ("rx", "2"),
                ("style", $"fill:{color}"));
        else if (key.Series.IsLine)
            _writer.Empty(
                "path", ("class", key.Series.Mark == ChartMark.Dashed ? "lab-dash" : null), ("style", $"stroke:{color}"),
                ("d", $"M{Number(key.X)} {at}h12"));
        else
            _writer.Empty("path", ("style", $"stroke:{color};stroke-width:8"), ("d", $"M{Number(key.X + 6)} {at}h0"));
        WriteText(key.Name, key.X + 18, key.Y + 4, TextSide.Start, "lab-name");
    }

    private void WriteText(string text, double x, double y, TextSide side, string? style = null, bool isSlanted = false) => _writer.Element(
        "text", text, ("class", style), ("x", Number(x)), ("y", Number(y)),
        ("transform", isSlanted ? $"rotate({ChartLayout.Slant} {Number(x)} {Number(y)})" : null),
        ("text-anchor", side switch { TextSide.Start => null, TextSide.Middle => "middle", _ => "end" }));

    private static string Color(ChartSeries series) => ChartPalette.Css(series.Color!.Value);

    private static string Number(double value) => HtmlWriter.Number(value);
}
