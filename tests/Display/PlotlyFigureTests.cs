using System.Text.Json;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Display;

public class PlotlyFigureTests
{
    [Fact]
    public void Parse_LinesAndPoints_AreReadWithTheirAxes()
    {
        var figure = PlotlyFigure.Parse("""
            {
              "data": [
                { "type": "scatter", "mode": "lines", "name": "a", "x": [1, 10, 100], "y": [3, null, 5] },
                { "mode": "markers", "name": "b", "y": [7, 8] },
                { "mode": "lines+markers", "name": "c", "x": [1], "y": [2] },
                { "mode": "lines", "line": { "dash": "dot" }, "name": "d", "x": [1, 2], "y": [2, 3] }
              ],
              "layout": { "title": { "text": "curves" }, "xaxis": { "type": "log", "title": "step" }, "yaxis": { "title": { "text": "loss" } } }
            }
            """);
        var drawn = figure.Drawn();
        Assert.Equal(("curves", "step", true, "loss"), (drawn.Title, drawn.XTitle, drawn.LogX, drawn.Panels[0].YTitle));
        Assert.Equal(
            [ChartMark.Line, ChartMark.Points, ChartMark.LineAndPoints, ChartMark.Dashed],
            drawn.Series.Select(series => series.Mark!.Value));
        Assert.Equal([1, 10, 100], figure.Data.Of("a").Select(point => point.X));
        Assert.Equal([3, double.NaN, 5], figure.Data.Of("a").Select(point => point.Y));
        Assert.Equal([(0, 7), (1, 8)], figure.Data.Of("b").Select(point => (point.X, point.Y)));
    }

    [Fact]
    public void Parse_BarsWithDifferentNames_StandAtThoseOfAll()
    {
        var data = PlotlyFigure.Parse("""
            { "data": [ { "type": "bar", "name": "a", "x": ["sand", "snow"], "y": [1, 2] }, { "type": "bar", "name": "b", "x": ["moon", "sand"], "y": [3, 4] } ] }
            """).Data;
        Assert.Equal([("sand", 1), ("snow", 2), ("moon", double.NaN)], data.Of("a").Select(point => (point.Category!, point.Y)));
        Assert.Equal([("sand", 4), ("snow", double.NaN), ("moon", 3)], data.Of("b").Select(point => (point.Category!, point.Y)));
    }

    [Theory]
    [InlineData("""{ "data": [ { "type": "pie", "values": [1, 2] } ], "layout": {} }""", "(pie)")]
    [InlineData("""{ "data": [ { "type": "bar", "orientation": "h", "x": [1], "y": ["a"] } ] }""", "(bar)")]
    [InlineData("""{ "data": [ { "x": [1], "y": [1] }, { "yaxis": "y2", "x": [1], "y": [1] } ] }""", "(scatter)")]
    [InlineData("""{ "data": [ { "y": { "dtype": "f8", "bdata": "AAAA" } } ] }""", "(scatter)")]
    [InlineData("""{ "data": [] }""", "Nothing to draw")]
    public void Parse_FigureThatIsNotDrawn_SaysWhatItIs(string json, string expected)
    {
        var figure = PlotlyFigure.Parse(json);
        Assert.Contains(expected, figure.ToText(), StringComparison.Ordinal);
        Assert.Equal(960, ImageDecoder.Decode(figure.ToPng(), "figure").Width);
    }

    [Fact]
    public void Parse_NoJson_Throws() => Assert.ThrowsAny<JsonException>(() => PlotlyFigure.Parse("{ data"));
}
