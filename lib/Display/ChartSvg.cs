using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Display;

/// <summary>Draws a chart as inline SVG that follows the theme of what it stands in.</summary>
internal sealed class ChartSvg
{
    private readonly HtmlWriter _writer;
    private readonly ChartFigure _figure;
    private readonly ChartLayout _layout;

    private ChartSvg(HtmlWriter writer, ChartFigure figure) => (_writer, _figure, _layout) = (writer, figure, new ChartLayout(figure));

    /// <summary>Draws a chart that has values.</summary>
    public static void Write(HtmlWriter writer, ChartFigure figure, string description) => new ChartSvg(writer, figure).Write(description);

    private void Write(string description)
    {
        _writer.Open("div", ("class", "lab-scroll"));
        _writer.Open("svg", ("viewBox", $"0 0 {ChartLayout.Width} {Number(_layout.Height)}"), ("role", "img"), ("aria-label", description));
        foreach (var field in _layout.Fields)
            WriteField(field);
        foreach (var text in _layout.Texts)
            WriteText(text.Text, text.X, text.Y, text.Side);
        foreach (var key in _layout.Keys)
            WriteKey(key);
        _writer.Close().Close();
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
                + $"{bar.Series.Y[bar.Place].ToString("g4", CultureInfo.InvariantCulture)}").Close();
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

    private void WriteText(string text, double x, double y, TextSide side, string? style = null) => _writer.Element(
        "text", text, ("class", style), ("x", Number(x)), ("y", Number(y)),
        ("text-anchor", side switch { TextSide.Start => null, TextSide.Middle => "middle", _ => "end" }));

    private static string Color(ChartSeries series) => ChartPalette.Css(series.Color!.Value);

    private static string Number(double value) => HtmlWriter.Number(value);
}
