using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Display;

public class LossPlotTests
{
    [Fact]
    public void RunningMean_Values_AreTheWeightedMeans()
    {
        var means = LossPlot.RunningMean([2, 4, double.NaN, 8], 2);
        Assert.Equal(
            [2, (1 + 4) / 1.5, (1 + 4) / 1.5, (0.5 + 2 + 8) / 1.75], means.Select(mean => Math.Round(mean, 12)),
            (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void ToHtml_Steps_DrawsEveryLossAndTheRate()
    {
        var html = HtmlDocument.Parse(
            new LossPlot
            {
                Records = [.. Enumerable.Range(1, 40).Select(step => Record(step, prior: 0.3, encoder: 1e-4))],
                Validation = [(1, 0.4), (40, 0.2)],
            });
        Assert.All(Dots(html), dots => Assert.Equal(40, dots.Count));
        Assert.Equal(2, Dots(html).Count);
        Assert.Equal(
            ["prior", "instance", "total", "validation"],
            html.ByClass("lab-name").Select(name => name.Value).Order(StringComparer.Ordinal)
                .OrderBy(name => "prior instance total validation".IndexOf(name, StringComparison.Ordinal)));
        Assert.Contains(html.Descendants("text"), text => text.Value == "learning rate (dashed: of the text encoders)");
        Assert.Contains("40 steps.", html.Descendants("figcaption").Single().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_HigherLoss_LiesHigherInsideTheFrame()
    {
        var html = HtmlDocument.Parse(
            new LossPlot { Records = [Record(1) with { InstanceLoss = 0.1 }, Record(2) with { InstanceLoss = 0.2 }] });
        var heights = Dots(html).Single();
        Assert.True(heights[1] < heights[0]);
        Assert.All(heights, height => Assert.InRange(height, 30, 290));
    }

    [Fact]
    public void ToHtml_NoPriorNoEncoders_LeavesThemOut()
    {
        var html = HtmlDocument.Parse(new LossPlot { Records = [Record(1), Record(2)] });
        Assert.Equal(["instance", "total"], html.ByClass("lab-name").Select(name => name.Value).Order(StringComparer.Ordinal));
        Assert.Contains(html.Descendants("text"), text => text.Value == "learning rate");
    }

    [Fact]
    public void ToPlotlyJson_LongRun_IsThinnedAndKeepsTheSpike()
    {
        var records = Enumerable.Range(1, 5000).Select(step => Record(step) with { InstanceLoss = step == 3210 ? 7.5 : 0.2 }).ToArray();
        using var chart = JsonDocument.Parse(new LossPlot { Records = records, MaxPoints = 200, Smoothing = 1 }.ToPlotlyJson());
        double[] Values(int trace) =>
            [.. chart.RootElement.GetProperty("data")[trace].GetProperty("y").EnumerateArray().Select(value => value.GetDouble())];
        Assert.Equal(200, Values(0).Length);
        Assert.InRange(Values(1).Length, 3, 202);
        Assert.Contains(7.5, Values(1));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0)]
    public void ToHtml_OddLosses_StillDraw(double loss)
    {
        var html =
            new LossPlot
            {
                Records =
                [Record(1) with { Loss = loss, InstanceLoss = loss }, Record(2) with { Loss = loss, InstanceLoss = loss }]
            }.ToHtml();
        Assert.DoesNotMatch(new Regex("(cx|cy|x|y|x1|y1|d)=\"[^\"]*(NaN|Infinity|∞)"), html);
    }

    [Fact]
    public void ToHtml_Scores_HaveAPanelWithALineForEach()
    {
        StepRecord Scored(int step, params (string Name, double Value)[] scores) => Record(step) with
        {
            Scores = scores.ToDictionary(score => score.Name, score => score.Value),
            Judge = "DINO x, protocol paper",
        };
        var html = HtmlDocument.Parse(
            new LossPlot { Records = [Scored(1, ("dino", 0.3)), Record(2), Scored(3, ("dino", 0.5), ("clip_t", 0.2))] });
        Assert.Equal(
            ["clip_t", "dino", "instance", "total"],
            html.ByClass("lab-name").Select(name => name.Value).Order(StringComparer.Ordinal));
        Assert.Contains(html.Descendants("text"), text => text.Value == "mean scores of the validation pictures");
        Assert.EndsWith("Scores: DINO x, protocol paper.", html.Descendants("figcaption").Single().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_NoSteps_SaysSo() =>
        Assert.Equal("No training step was done.", HtmlDocument.Parse(new LossPlot { Records = [] }).Descendants("p").Single().Value);

    // The heights of each series of faint dots.
    private static List<List<double>> Dots(XElement html) =>
        [.. html.ByClass("lab-faint").Select(path => Regex.Matches(path.Attribute("d")!.Value, @"M\S+ (\S+?)h0")
        .Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ToList())];

    private static StepRecord Record(int step, double? prior = null, double? encoder = null) => new()
    {
        Step = step,
        Epoch = 0,
        Loss = 0.5,
        InstanceLoss = 0.2,
        PriorLoss = prior,
        LearningRate = 1e-3,
        TextEncoderLr = encoder,
        GradNorm = 1,
        Seconds = 0.1,
        ImagesPerSecond = 40,
    };
}
