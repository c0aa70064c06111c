namespace Dreambooth.Lab.Display;

/// <content>The series of a chart, as traces.</content>
internal sealed partial class ChartPlotly
{
    private void WriteTrace(ChartSeries series, int panel)
    {
        var color = ChartPalette.Middle(series.Color!.Value);
        _json.WriteStartObject();
        _json.WriteString("type", series.Mark == ChartMark.Bars ? "bar" : "scatter");
        _json.WriteString("name", Text(series.Name));
        _json.WriteBoolean("showlegend", series.Name.Length > 0);
        if (panel > 0)
            _json.WriteString("yaxis", AxisName("y", panel));
        if (_figure.Categories is { } names && series.Mark == ChartMark.Bars)
            WriteTexts("x", names.Take(series.Y.Count));
        else if (_figure.Categories is { } places)
            WriteTexts("x", series.X.Select(x => places[Math.Clamp((int)Math.Round(x), 0, places.Count - 1)]));
        else
            WriteNumbers("x", series.X, "g6");
        WriteNumbers("y", series.Y, "g4");
        if (series.Labels is { } labels)
        {
            WriteTexts("hovertext", labels);
            _json.WriteString("hoverinfo", "text");
        }

        WriteIntervals(series);
        WriteMark(series, color);
        _json.WriteEndObject();
    }

    private void WriteIntervals(ChartSeries series)
    {
        if (series.Intervals is not { } intervals)
            return;
        _json.WriteStartObject("error_y");
        _json.WriteString("type", "data");
        _json.WriteBoolean("symmetric", false);
        WriteNumbers("array", intervals.Select((interval, i) => interval?.High - series.Y[i] ?? double.NaN), "g4");
        WriteNumbers("arrayminus", intervals.Select((interval, i) => series.Y[i] - interval?.Low ?? double.NaN), "g4");
        _json.WriteString("color", ChartPalette.MiddleText);
        _json.WriteNumber("thickness", 1.5);
        _json.WriteNumber("width", 4);
        _json.WriteEndObject();
    }

    private void WriteMark(ChartSeries series, string color)
    {
        if (series.Mark != ChartMark.Bars)
            _json.WriteString(
                "mode", series.Mark switch
                {
                    ChartMark.Line or ChartMark.Dashed => "lines",
                    ChartMark.LineAndPoints => "lines+markers",
                    _ =>
                    "markers"
                });
        if (series.IsLine)
        {
            _json.WriteStartObject("line");
            _json.WriteString("color", color);
            _json.WriteNumber("width", 2);
            if (series.Mark == ChartMark.Dashed)
                _json.WriteString("dash", "dash");
            _json.WriteEndObject();
        }

        if (series.Mark is ChartMark.Line or ChartMark.Dashed)
            return;
        _json.WriteStartObject("marker");
        _json.WriteString("color", color);
        if (series.Mark != ChartMark.Bars)
            _json.WriteNumber("size", series.Mark == ChartMark.FaintPoints ? 4 : 8);
        if (series.Mark == ChartMark.FaintPoints)
            _json.WriteNumber("opacity", 0.3);
        _json.WriteEndObject();
    }
}
