using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Display;

/// <summary>Draws a chart as inline SVG that follows the theme of what it stands in.</summary>
internal sealed class ChartSvg
{
    private const int Width = 960;
    private const int PanelGap = 44;
    private readonly HtmlWriter _writer;
    private readonly ChartFigure _figure;
    private readonly bool _namesAtEnds;
    private readonly double _right;
    private readonly double _left;
    private readonly PlotAxis _x;

    private ChartSvg(HtmlWriter writer, ChartFigure figure)
    {
        (_writer, _figure) = (writer, figure);
        var named = figure.Series.Where(series => series.Name.Length > 0).ToArray();
        _namesAtEnds = figure.Categories is null && named.Length > 0 && figure.Panels.All(panel => panel.Series.Count(series => IsLine(series) && series.Name.Length > 0) <= 6)
            && named.All(IsLine);
        _left = 60;
        _right = Width - (_namesAtEnds ? Math.Clamp(36 + (named.Max(series => series.Name.Length) * 7), 60, 260) : 16);
        _x = XAxis();
    }

    /// <summary>Draws a chart that has values.</summary>
    public static void Write(HtmlWriter writer, ChartFigure figure, string description) => new ChartSvg(writer, figure).Write(description);

    private void Write(string description)
    {
        var legend = !_namesAtEnds && _figure.Series.Count(series => series.Name.Length > 0) > 1;
        double[] tops = new double[_figure.Panels.Count];
        double y = legend ? 30 : 4;
        for (var i = 0; i < tops.Length; i++)
        {
            tops[i] = y + 26;
            y = tops[i] + _figure.Panels[i].Height + PanelGap - 26;
        }

        var labelLines = _figure.Categories is null ? 1 : CategoryLines().Max(lines => lines.Count);
        var height = y + (labelLines * 15) + (_figure.XTitle.Length > 0 && _figure.Categories is not null ? 16 : 0) - 14;
        _writer.Open("div", ("class", "lab-scroll"));
        _writer.Open("svg", ("viewBox", $"0 0 {Width} {HtmlWriter.Number(height)}"), ("role", "img"), ("aria-label", description));
        if (legend)
            WriteLegend();
        for (var i = 0; i < tops.Length; i++)
            WritePanel(_figure.Panels[i], tops[i]);
        WriteXAxis(y - PanelGap + 26);
        _writer.Close().Close();
    }

    private static bool IsLine(ChartSeries series) => series.Mark is ChartMark.Line or ChartMark.Dashed or ChartMark.LineAndPoints;

    private PlotAxis XAxis()
    {
        if (_figure.Categories is { } names)
            return new PlotAxis(-0.5, Math.Max(names.Count, 1) - 0.5, _left, _right);
        var values = _figure.Series.SelectMany(series => series.X).Where(value => double.IsFinite(value) && (!_figure.LogX || value > 0));
        if (_figure.XRange is { } range)
            values = values.Append(range.From).Append(range.To);
        double[] all = [.. values.DefaultIfEmpty(1)];
        return all.Min() < all.Max() ? new PlotAxis(all.Min(), all.Max(), _left, _right, _figure.LogX) : PlotAxis.Around(all, 8, _left, _right, _figure.LogX);
    }

    private static PlotAxis YAxis(ChartPanel panel, double top)
    {
        var ticks = Math.Max(2, panel.Height / 50);
        var values = panel.Extents();
        return panel.FromZero && !panel.LogY
            ? values.Any(value => value < 0) ? PlotAxis.Around(values.Append(0), ticks, top + panel.Height, top) : PlotAxis.FromZero(values.DefaultIfEmpty(0).Max(), ticks, top + panel.Height, top)
            : PlotAxis.Around(values, ticks, top + panel.Height, top, panel.LogY);
    }

    private void WritePanel(ChartPanel panel, double top)
    {
        var y = YAxis(panel, top);
        foreach (var tick in y.Ticks(Math.Max(2, panel.Height / 50)))
        {
            _writer.Empty("line", ("class", "lab-rule"), ("x1", HtmlWriter.Number(_left)), ("x2", HtmlWriter.Number(_right)), ("y1", HtmlWriter.Number(y.At(tick))), ("y2", HtmlWriter.Number(y.At(tick))));
            Label(PlotAxis.Label(tick), _left - 10, y.At(tick) + 4, "end");
        }

        if (panel.YTitle.Length > 0)
            Label(panel.YTitle, _left, top - 12, "start");
        WriteBars(panel, y);
        foreach (var series in panel.Series.Where(series => series.Mark != ChartMark.Bars))
            WriteSeries(series, y);
        if (_namesAtEnds)
            WriteNames(panel, y);
    }

    private void WriteBars(ChartPanel panel, PlotAxis y)
    {
        var bars = panel.Bars;
        if (bars.Count == 0 || _figure.Categories is not { } names)
            return;
        var slot = (_right - _left) / names.Count;
        var group = Math.Min(slot * 0.68, panel.Stacked ? 96 : 56.0 * bars.Count);
        var width = panel.Stacked ? group : group / bars.Count;
        for (var place = 0; place < names.Count; place++)
        {
            var below = 0.0;
            for (var i = 0; i < bars.Count; i++)
            {
                var value = bars[i].Y[place];
                if (!y.Has(value) || value == 0)
                    continue;
                var from = panel.Stacked ? below : y.IsLog ? y.From : 0;
                below += panel.Stacked ? value : 0;
                double a = y.At(from), b = y.At(panel.Stacked ? below : value);
                var left = _x.At(place) - (group / 2) + (panel.Stacked ? 0 : i * width);
                _writer.Open("rect", ("x", HtmlWriter.Number(left)), ("y", HtmlWriter.Number(Math.Min(a, b))), ("width", HtmlWriter.Number(width - (panel.Stacked ? 0 : 2))), ("height", HtmlWriter.Number(Math.Abs(a - b))), ("style", $"fill:{ChartPalette.Css(bars[i].Color!.Value)}"));
                _writer.Element("title", bars[i].Labels?[place] ?? $"{names[place]}, {bars[i].Name}: {value.ToString("g4", CultureInfo.InvariantCulture)}").Close();
            }
        }
    }

    private void WriteSeries(ChartSeries series, PlotAxis y)
    {
        var color = ChartPalette.Css(series.Color!.Value);
        if (IsLine(series))
            _writer.Empty("path", ("class", series.Mark == ChartMark.Dashed ? "lab-dash" : null), ("style", $"stroke:{color}"), ("d", Path(series, y)));
        if (series.Mark is ChartMark.Points or ChartMark.LineAndPoints && series.Labels is { } labels)
        {
            for (var i = 0; i < series.Y.Count; i++)
            {
                if (!_x.Has(series.X[i]) || !y.Has(series.Y[i]))
                    continue;
                _writer.Open("circle", ("cx", HtmlWriter.Number(_x.At(series.X[i]))), ("cy", HtmlWriter.Number(y.At(series.Y[i]))), ("r", "4"), ("style", $"fill:{color}"));
                _writer.Element("title", labels[i]).Close();
            }
        }
        else if (series.Mark is ChartMark.Points or ChartMark.LineAndPoints or ChartMark.FaintPoints)
        {
            _writer.Empty("path", ("class", series.Mark == ChartMark.FaintPoints ? "lab-faint" : null), ("style", $"stroke:{color};stroke-width:{(series.Mark == ChartMark.FaintPoints ? 4 : 7)}"), ("d", Dots(series, y)));
        }
    }

    private string Path(ChartSeries series, PlotAxis y)
    {
        var path = new StringBuilder();
        var drawing = false;
        for (var i = 0; i < series.Y.Count; i++)
        {
            var has = _x.Has(series.X[i]) && y.Has(series.Y[i]);
            if (has)
                path.Append(drawing ? 'L' : 'M').Append(HtmlWriter.Number(_x.At(series.X[i]))).Append(' ').Append(HtmlWriter.Number(y.At(series.Y[i])));
            drawing = has;
        }

        return path.ToString();
    }

    // Strokes of no length with round ends: many dots in one short path.
    private string Dots(ChartSeries series, PlotAxis y)
    {
        var path = new StringBuilder();
        for (var i = 0; i < series.Y.Count; i++)
        {
            if (_x.Has(series.X[i]) && y.Has(series.Y[i]))
                path.Append('M').Append(HtmlWriter.Number(_x.At(series.X[i]))).Append(' ').Append(HtmlWriter.Number(y.At(series.Y[i]))).Append("h0");
        }

        return path.ToString();
    }

    // Names stand at the end of their lines, moved apart where they would overlap.
    private void WriteNames(ChartPanel panel, PlotAxis y)
    {
        var last = double.NegativeInfinity;
        foreach (var (series, end) in panel.Series.Where(series => IsLine(series) && series.Name.Length > 0).Select(series => (series, End(series, y))).OrderBy(pair => pair.Item2))
        {
            last = Math.Max(end, last + 17);
            WriteKey(series, _right + 10, last);
        }
    }

    private static double End(ChartSeries series, PlotAxis y) => y.At(series.Y.LastOrDefault(y.Has, y.From));

    private double WriteKey(ChartSeries series, double x, double y)
    {
        var color = ChartPalette.Css(series.Color!.Value);
        var at = HtmlWriter.Number(y);
        if (series.Mark == ChartMark.Bars)
            _writer.Empty("rect", ("x", HtmlWriter.Number(x)), ("y", HtmlWriter.Number(y - 6)), ("width", "12"), ("height", "12"), ("rx", "2"), ("style", $"fill:{color}"));
        else
            _writer.Empty("path", ("class", series.Mark == ChartMark.Dashed ? "lab-dash" : null), ("style", $"stroke:{color}" + (IsLine(series) ? string.Empty : ";stroke-width:8")), ("d", IsLine(series) ? $"M{HtmlWriter.Number(x)} {at}h12" : $"M{HtmlWriter.Number(x + 6)} {at}h0"));
        var name = series.Name.Length > 32 ? series.Name[..31] + "…" : series.Name;
        Label(name, x + 18, y + 4, "start", "lab-name");
        return x + 18 + (name.Length * 7.2) + 22;
    }

    private void WriteLegend()
    {
        var x = _left;
        foreach (var series in _figure.Series.Where(series => series.Name.Length > 0))
            x = WriteKey(series, x, 12);
    }

    private void WriteXAxis(double bottom)
    {
        if (_figure.Categories is null)
        {
            foreach (var tick in _x.Ticks(8))
                Label(PlotAxis.Label(tick), _x.At(tick), bottom + 20, "middle");
            if (_figure.XTitle.Length > 0)
                Label(_figure.XTitle, _namesAtEnds ? _right + 28 : _right, bottom + (_namesAtEnds ? 20 : 36), _namesAtEnds ? "start" : "end");
            return;
        }

        var lines = CategoryLines();
        for (var place = 0; place < lines.Count; place++)
        {
            for (var line = 0; line < lines[place].Count; line++)
                Label(lines[place][line], _x.At(place), bottom + 20 + (line * 15), "middle");
        }

        if (_figure.XTitle.Length > 0)
            Label(_figure.XTitle, _right, bottom + 20 + (lines.Max(text => text.Count) * 15), "end");
    }

    // Names of categories broken at blanks into the width of a bar's slot, three lines at most.
    private List<IReadOnlyList<string>> CategoryLines()
    {
        var names = _figure.Categories!;
        var fits = Math.Max(4, (int)((_right - _left) / Math.Max(names.Count, 1) / 7));
        return [.. names.Select(name => TextLines.Break(name, fits, 3))];
    }

    private void Label(string text, double x, double y, string anchor, string? style = null) => _writer.Element(
        "text", text, ("class", style), ("x", HtmlWriter.Number(x)), ("y", HtmlWriter.Number(y)), ("text-anchor", anchor));
}
