using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dreambooth.Lab.Display;

/// <summary>Writes a chart as Plotly's own JSON: data, layout and config, as application/vnd.plotly.v1+json has them.</summary>
internal sealed partial class ChartPlotly
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.Default };
    private const int LowPanel = 100;
    private readonly Utf8JsonWriter _json;
    private readonly ChartFigure _figure;

    private ChartPlotly(Utf8JsonWriter json, ChartFigure figure) => (_json, _figure) = (json, figure);

    /// <summary>The chart's JSON.</summary>
    public static string Write(ChartFigure figure)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Compact))
            new ChartPlotly(json, figure).Write();
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private void Write()
    {
        _json.WriteStartObject();
        _json.WriteStartArray("data");
        for (var panel = 0; panel < _figure.Panels.Count; panel++)
        {
            foreach (var series in _figure.Panels[panel].Series)
                WriteTrace(series, panel);
        }

        _json.WriteEndArray();
        WriteLayout();
        _json.WriteStartObject("config");
        _json.WriteBoolean("responsive", true);
        _json.WriteBoolean("displaylogo", false);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    private void WriteLayout()
    {
        var layout = _figure.HasValues ? new ChartLayout(_figure) : null;
        _json.WriteStartObject("layout");
        // Title, then the legend in as many rows as it is likely to take, then the fields.
        var rows = Math.Ceiling(
            _figure.Series.Where(series => series.Name.Length > 0).Sum(series => 60 + TextLines.Width(series.Name)) / 880);
        var head = (_figure.Title.Length > 0 ? 34 : 8) + (22 * rows);
        WriteTitle(_figure.Title, 15, isHead: true);
        _json.WriteBoolean("autosize", true);
        _json.WriteNumber("height", Math.Round((layout?.Height ?? 100) + head + 30));
        _json.WriteString("paper_bgcolor", "rgba(0,0,0,0)");
        _json.WriteString("plot_bgcolor", "rgba(0,0,0,0)");
        _json.WriteNumber("bargap", 0.36);
        _json.WriteString("barmode", _figure.Panels.Any(panel => panel.Stacked) ? "stack" : "group");
        _json.WriteStartObject("font");
        _json.WriteString("color", ChartPalette.MiddleText);
        _json.WriteNumber("size", 12);
        _json.WriteEndObject();
        _json.WriteStartObject("margin");
        foreach (var (side, pixels) in new[] { ("l", 64), ("r", 16), ("t", (int)head), ("b", 44) })
            _json.WriteNumber(side, pixels);
        _json.WriteEndObject();
        _json.WriteStartObject("modebar");
        _json.WriteString("bgcolor", "rgba(0,0,0,0)");
        _json.WriteString("color", ChartPalette.MiddleText);
        _json.WriteEndObject();
        _json.WriteStartObject("legend");
        _json.WriteString("orientation", "h");
        _json.WriteString("traceorder", "normal");
        _json.WriteString("yanchor", "bottom");
        _json.WriteNumber("y", 1.01);
        _json.WriteEndObject();
        if (layout is null)
        {
            WriteEmpty();
        }
        else
        {
            WriteXAxis(layout);
            WriteYAxes(layout);
        }

        _json.WriteEndObject();
    }

    private void WriteEmpty()
    {
        foreach (var axis in new[] { "xaxis", "yaxis" })
        {
            _json.WriteStartObject(axis);
            _json.WriteBoolean("visible", false);
            _json.WriteEndObject();
        }

        _json.WriteStartArray("annotations");
        _json.WriteStartObject();
        _json.WriteString("text", Text(_figure.Empty));
        _json.WriteBoolean("showarrow", false);
        _json.WriteEndObject();
        _json.WriteEndArray();
    }

    private void WriteXAxis(ChartLayout layout)
    {
        _json.WriteStartObject("xaxis");
        WriteAxisStyle(_figure.XTitle, _figure.Categories is not null ? "category" : _figure.LogX ? "log" : "linear");
        _json.WriteBoolean("showgrid", false);
        if (_figure.LogX)
            WriteTicks(layout.X.Ticks(8));
        if (_figure.Panels.Count > 1)
            _json.WriteString("anchor", AxisName("y", _figure.Panels.Count - 1));
        if (_figure.XRange is { } range && _figure.Categories is null && !_figure.LogX)
            WriteRange(range.From, range.To);
        _json.WriteEndObject();
    }

    // Panels share the height as in the other forms, from the top down.
    private void WriteYAxes(ChartLayout layout)
    {
        double gap = _figure.Panels.Count > 1 ? 0.12 : 0, whole = Math.Max(1, _figure.Panels.Sum(panel => panel.Height)), top = 1;
        List<double> tops = [];
        for (var i = 0; i < _figure.Panels.Count; i++)
        {
            var panel = _figure.Panels[i];
            var height = (1 - (gap * (_figure.Panels.Count - 1))) * panel.Height / whole;
            _json.WriteStartObject(i == 0 ? "yaxis" : $"yaxis{i + 1}");
            WriteAxisStyle(
                panel.Height < LowPanel ? string.Empty : TextLines.Shorten(panel.YTitle.Split(':')[0], 40), panel.LogY ? "log" : "linear");
            if (panel.LogY)
                WriteTicks(layout.Fields[i].Ticks);
            else if (panel.Height < LowPanel)
                _json.WriteNumber("nticks", 3);
            _json.WriteStartArray("domain");
            _json.WriteRawValue(Number(Math.Max(0, top - height)));
            _json.WriteRawValue(Number(top));
            _json.WriteEndArray();
            if (panel.Ceiling is not null && !panel.LogY)
                WriteRange(layout.Fields[i].Y.From, layout.Fields[i].Y.To);
            else if (panel.FromZero)
                _json.WriteString("rangemode", "tozero");
            _json.WriteEndObject();
            tops.Add(top);
            top -= height + gap;
        }

        WriteLowTitles(tops);
    }

    // A low panel has no room for a title along its axis: it stands over it.
    private void WriteLowTitles(List<double> tops)
    {
        _json.WriteStartArray("annotations");
        for (var i = 0; i < tops.Count; i++)
        {
            if (_figure.Panels[i].Height >= LowPanel || _figure.Panels[i].YTitle.Length == 0)
                continue;
            _json.WriteStartObject();
            _json.WriteString("text", Text(_figure.Panels[i].YTitle));
            _json.WriteBoolean("showarrow", false);
            foreach (var (axis, place, anchor) in new[] { ("x", 0.0, "left"), ("y", tops[i], "bottom") })
            {
                _json.WriteString(axis + "ref", "paper");
                _json.WriteString(axis + "anchor", anchor);
                _json.WritePropertyName(axis);
                _json.WriteRawValue(Number(place));
            }

            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void WriteTicks(IEnumerable<double> ticks)
    {
        double[] values = [.. ticks];
        WriteNumbers("tickvals", values, "g6");
        WriteTexts("ticktext", values.Select(PlotAxis.Label));
    }

    private void WriteRange(double from, double to)
    {
        _json.WriteStartArray("range");
        _json.WriteRawValue(Number(from));
        _json.WriteRawValue(Number(to));
        _json.WriteEndArray();
    }

    private void WriteAxisStyle(string title, string type)
    {
        _json.WriteString("type", type);
        _json.WriteString("exponentformat", "e");
        WriteTitle(title, 12);
        _json.WriteString("gridcolor", ChartPalette.MiddleRule);
        _json.WriteString("linecolor", ChartPalette.MiddleRule);
        _json.WriteBoolean("zeroline", false);
        _json.WriteBoolean("automargin", true);
    }

    private void WriteTitle(string text, int size, bool isHead = false)
    {
        if (text.Length == 0)
            return;
        _json.WriteStartObject("title");
        _json.WriteString("text", Text(text));
        _json.WriteStartObject("font");
        _json.WriteNumber("size", size);
        _json.WriteEndObject();
        if (isHead)
        {
            _json.WriteString("yref", "container");
            _json.WriteString("yanchor", "top");
            _json.WriteNumber("y", 1);
            _json.WriteNumber("x", 0);
            _json.WriteStartObject("pad");
            _json.WriteNumber("t", 8);
            _json.WriteNumber("l", 8);
            _json.WriteEndObject();
        }

        _json.WriteEndObject();
    }

    private void WriteTexts(string name, IEnumerable<string> texts)
    {
        _json.WriteStartArray(name);
        foreach (var text in texts)
            _json.WriteStringValue(Text(text));
        _json.WriteEndArray();
    }

    private void WriteNumbers(string name, IEnumerable<double> values, string format)
    {
        _json.WriteStartArray(name);
        foreach (var value in values)
        {
            if (double.IsFinite(value))
                _json.WriteRawValue(value.ToString(format, CultureInfo.InvariantCulture));
            else
                _json.WriteNullValue();
        }

        _json.WriteEndArray();
    }

    // More digits than a screen shows.
    private static string Number(double value) => value.ToString("g6", CultureInfo.InvariantCulture);

    private static string AxisName(string axis, int panel) => panel == 0 ? axis : $"{axis}{panel + 1}";

    // Plotly reads a little HTML in its texts.
    private static string Text(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);
}
