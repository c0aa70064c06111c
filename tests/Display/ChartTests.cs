using System.Globalization;
using System.Text.Json;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Display;

public class ChartTests
{
    [Fact]
    public void Thin_LongSeries_KeepsEndsGapsAndSpikes()
    {
        var values = Enumerable.Range(0, 10_000).Select(i => i == 4321 ? 99.0 : i == 4400 ? -99.0 : Math.Sin(i)).ToArray();
        var thin = ChartSeries.Of("a", values).Thin(100);
        Assert.InRange(thin.Y.Count, 50, 102);
        Assert.Equal((1.0, 10_000.0), (thin.X[0], thin.X[^1]));
        Assert.Contains(99.0, thin.Y);
        Assert.Contains(-99.0, thin.Y);
        Assert.Contains(double.NaN, ChartSeries.Of("b", values.Select((value, i) => i / 1000 == 5 ? double.NaN : value)).Thin(100).Y);
        Assert.Equal(10, ChartSeries.Of("c", values.Take(10)).Thin(100).Y.Count);
    }

    [Fact]
    public void Straighten_Line_KeepsOnlyItsBends()
    {
        var line = ChartSeries.Of(
            "rate", Enumerable.Range(0, 500).Select(step => Math.Min(step, 100) * 5e-6)) with
        { Mark = ChartMark.Line };
        Assert.Equal([1, 101, 500], line.Straighten().X);
        var curve = ChartSeries.Of("curve", Enumerable.Range(0, 50).Select(i => Math.Cos(i))) with { Mark = ChartMark.Line };
        Assert.Equal(50, curve.Straighten().X.Count);
        Assert.Equal([1, 2, 3, 4, 5], ChartSeries.Of("gap", [1, 1, double.NaN, 1, 1]).Straighten().X);
    }

    [Fact]
    public void Data_LongLine_IsWholeAndNotRounded()
    {
        double[] x = [.. Enumerable.Range(0, 5000).Select(i => i / 3.0)], y = [.. x.Select(Math.Sin)];
        ChartSeries[] series = [ChartSeries.Of("sine", x, y), ChartSeries.Of("gap", [1], [double.NaN])];
        var data = new LineChart { XTitle = "time (s)", Series = series }.Data;
        Assert.Equal(["sine", "gap"], data.Series);
        Assert.Equal(x, data.Of("sine").Select(point => point.X));
        Assert.Equal(y, data.Of("sine").Select(point => point.Y));
        Assert.Equal(new ChartPoint("gap", null, 1, double.NaN, null), data.Of("gap").Single());
        Assert.Matches("^Series +time \\(s\\) +y\n", data.ToText());
        Assert.Contains("The first 20 of 5001 values.", data.ToText(), StringComparison.Ordinal);
        var error = Assert.Throws<LabException>(() => data.Of("cosine"));
        Assert.Contains("'cosine'; it has: sine, gap.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_Bars_NamesTheirCategories()
    {
        ChartSeries[] series = [ChartSeries.Of("before", [1, 2]), ChartSeries.Of("after", [3, 4])];
        var data = new BarChart { Categories = ["sand", "snow"], Series = series }.Data;
        Assert.Equal([new("before", "sand", 0, 1, null), new("before", "snow", 1, 2, null)], data.Of("before"));
        Assert.Equal([new("after", "sand", 0, 3, null), new("after", "snow", 1, 4, null)], data.Of("after"));
    }

    [Fact]
    public void Data_EveryChart_NamesEverySeries()
    {
        foreach (var (name, view) in ViewSamples.All("gmc").Where(entry => entry.View is ChartView))
        {
            var data = ((ChartView)view).Data;
            Assert.NotEmpty(data.Points);
            Assert.All(data.Series, series => Assert.False(string.IsNullOrEmpty(series), name));
        }
    }

    [Fact]
    public void BarChart_Stacked_BarsStandOnEachOther()
    {
        var html = HtmlDocument.Parse(
            new BarChart { Categories = ["a"], Stacked = true, Series = [ChartSeries.Of("x", [1]), ChartSeries.Of("y", [3])] });
        var bars = html.Descendants("rect").Where(bar => bar.HasElements).ToArray();
        double Of(int bar, string name) => double.Parse(bars[bar].Attribute(name)!.Value, CultureInfo.InvariantCulture);
        Assert.Equal(Of(0, "y"), Of(1, "y") + Of(1, "height"), 0.05);
        Assert.Equal(3, Of(1, "height") / Of(0, "height"), 0.01);
        Assert.Equal(["a, x: 1", "a, y: 3"], bars.Select(bar => bar.Value));
    }

    [Fact]
    public void BarChart_Intervals_AreDrawnNamedAndInsideTheAxis()
    {
        var chart = new BarChart
        {
            Categories = ["a", "b"],
            Series = [ChartSeries.Of("x", [1, 2]) with { Intervals = [null, (1.5, 4)] }, ChartSeries.Of("y", [1, 1])],
        };
        var html = HtmlDocument.Parse(chart);
        var bar = html.Descendants("rect").Single(rect => rect.Value.StartsWith("b, x", StringComparison.Ordinal));
        double Of(string name) => double.Parse(bar.Attribute(name)!.Value, CultureInfo.InvariantCulture);
        var line = html.Descendants("path").Single(path => (string?)path.Attribute("class") == "lab-interval").Attribute("d")!.Value;
        double[] ends = [.. line[1..line.IndexOf('M', 1)].Split(' ', 'V')
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        Assert.Equal(Of("x") + (Of("width") / 2), ends[0], 0.05);
        // In values: the bar is 2 high, and the axis from 0 to 4 holds the upper end.
        Assert.Equal(0.5 / 2 * Of("height"), ends[1] - Of("y"), 0.05);
        Assert.Equal(2.5 / 2 * Of("height"), ends[1] - ends[2], 0.05);
        Assert.Equal("b, x: 2 (1.5 … 4)", bar.Value);
        Assert.Contains("x: a 1, b 2 (1.5 … 4)", chart.ToText(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(chart.ToPlotlyJson());
        var errors = json.RootElement.GetProperty("data")[0].GetProperty("error_y");
        Assert.Equal(["null", "2"], errors.GetProperty("array").EnumerateArray().Select(value => value.GetRawText()));
        Assert.Equal(["null", "0.5"], errors.GetProperty("arrayminus").EnumerateArray().Select(value => value.GetRawText()));
        Assert.NotEqual(
            (chart with { Series = [.. chart.Series.Select(series => series with { Intervals = null })] }).ToPng(), chart.ToPng());
    }

    [Fact]
    public void LineChart_LogAxes_PlaceEqualFactorsAtEqualDistances()
    {
        var html = HtmlDocument.Parse(
            new LineChart { LogX = true, LogY = true, Series = [ChartSeries.Of("a", [0, 1, 10, 100], [5, 1e-3, 1e-1, 10])] });
        var line = html.Descendants("path")
            .First(path => path.Attribute("d")!.Value.StartsWith('M') && path.Attribute("d")!.Value.Contains('L')).Attribute("d")!.Value;
        double[][] points =
            [.. line.TrimStart('M').Split('L')
                .Select(point => point.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray())];
        Assert.Equal(3, points.Length);
        Assert.Equal(points[1][0] - points[0][0], points[2][0] - points[1][0], 0.2);
        Assert.Equal(points[1][1] - points[0][1], points[2][1] - points[1][1], 0.2);
    }

    [Fact]
    public void ToPlotlyJson_NotANumber_IsAGap()
    {
        using var json = JsonDocument.Parse(new LineChart { Series = [ChartSeries.Of("a", [1, double.NaN, 3])] }.ToPlotlyJson());
        Assert.Equal(
            [JsonValueKind.Number, JsonValueKind.Null, JsonValueKind.Number],
            json.RootElement.GetProperty("data")[0].GetProperty("y").EnumerateArray().Select(value => value.ValueKind));
    }

    [Fact]
    public void Charts_PartsThatDoNotFit_AreRefused()
    {
        Assert.Contains(
            "2 places, 1 values", Assert.Throws<LabException>(() => ChartSeries.Of("a", [1, 2], [1])).Message, StringComparison.Ordinal);
        Assert.Contains(
            "1 values for 2 categories",
            Assert.Throws<LabException>(
                () => new BarChart
                {
                    Categories = ["a", "b"],
                    Series = [ChartSeries.Of("x", [1])],
                }.ToHtml()).Message, StringComparison.Ordinal);
        Assert.Throws<LabException>(
            () => new BarChart { Categories = ["a"], Series = [ChartSeries.Of("x", [1])], Stacked = true, LogY = true }.ToHtml());
        var bare = ChartSeries.Of("x", [1]);
        Assert.Contains(
            "1 values and 2 intervals",
            Assert.Throws<LabException>(
                () => new LineChart { Series = [bare with { Intervals = [null, (0, 1)] }] }.ToHtml()).Message, StringComparison.Ordinal);
        Assert.Throws<LabException>(
            () => new BarChart { Categories = ["a"], Series = [bare with { Intervals = [(0, 2)] }], Stacked = true }.ToHtml());
        Assert.Throws<LabException>(() => new MemoryChart { Phases = [], Measured = [1] }.ToHtml());
        Assert.Throws<LabException>(() => new LineChart { Series = [], MaxPoints = 3 }.ToHtml());
    }

    [Fact]
    public void MemoryChart_Unit_FollowsTheLargestFigure()
    {
        MemoryChart Of(long bytes) => new()
        {
            Phases = [new MemoryChartPhase("train", [new MemoryChartPart("weights", bytes)])],
            Kind = "measured, resident",
        };
        Assert.Contains("measured, resident (MiB)", Of(300L << 20).ToHtml(), StringComparison.Ordinal);
        Assert.Contains("measured, resident (GiB)", Of(3L << 30).ToHtml(), StringComparison.Ordinal);
        Assert.Contains("train, weights: 3.0 GiB", Of(3L << 30).ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public void LogTicks_Axis_AreDecadesOrFiner()
    {
        Assert.Equal([1, 10, 100, 1000], PlotAxis.Around([1, 1000], 5, 0, 100, isLog: true).Ticks(4).Select(tick => Math.Round(tick, 9)));
        Assert.Equal(
            [0.02, 0.05, 0.1, 0.2], PlotAxis.Around([0.02, 0.2], 5, 0, 100, isLog: true).Ticks(5).Select(tick => Math.Round(tick, 9)));
    }

    [Fact]
    public void Around_Values_EndsAtRoundOnesAndTakesOddInput()
    {
        var axis = PlotAxis.Around([0.42, 0.88], 5, 0, 100);
        Assert.Equal((0.4, 0.9), (Math.Round(axis.From, 9), Math.Round(axis.To, 9)));
        Assert.True(PlotAxis.Around([3], 5, 0, 100) is { From: < 3, To: > 3 });
        Assert.True(PlotAxis.Around([], 5, 0, 100) is { From: 0, To: 1 });
    }

    [Fact]
    public void ChartLayout_CrowdedNames_StayApartInsideTheField()
    {
        var layout = new ChartLayout(
            new LineChart
            {
                Series = [.. Enumerable.Range(0, 6).Select(i => ChartSeries.Of($"series {i}", [1, i * 0.001]))],
                FromZero = true,
            }.Drawn());
        double[] places = [.. layout.Keys.Select(key => key.Y).Order()];
        Assert.All(places.Zip(places.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 16.9, 400));
        Assert.All(places, place => Assert.InRange(place, layout.Fields[0].Y.End, layout.Fields[0].Y.Start));
    }
}
