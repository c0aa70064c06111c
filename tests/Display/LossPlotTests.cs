using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Display;

public class LossPlotTests
{
    [Fact]
    public void RunningMean_Values_AreTheWeightedMeans()
    {
        var means = LossPlot.RunningMean([2, 4, double.NaN, 8], 2);
        Assert.Equal([2, (1 + 4) / 1.5, (1 + 4) / 1.5, (0.5 + 2 + 8) / 1.75], means.Select(mean => Math.Round(mean, 12)), (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void ToHtml_Steps_DrawsEveryLossAndTheRate()
    {
        var html = HtmlDocument.Parse(new LossPlot { Records = [.. Enumerable.Range(1, 40).Select(step => Record(step, prior: 0.3, encoder: 1e-4))] });
        Assert.Equal(40, html.Descendants("circle").Count(circle => (string?)circle.Attribute("class") == "instance"));
        Assert.Equal(40, html.Descendants("circle").Count(circle => (string?)circle.Attribute("class") == "prior"));
        Assert.Equal(["prior", "instance", "total", "rate", "rate2"], html.Descendants("path").Select(path => (string?)path.Attribute("class")));
        Assert.Contains("40 steps.", html.Descendants("figcaption").Single().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_HigherLoss_LiesHigherInsideTheFrame()
    {
        var html = HtmlDocument.Parse(new LossPlot { Records = [Record(1) with { InstanceLoss = 0.1 }, Record(2) with { InstanceLoss = 0.2 }] });
        double[] heights = [.. html.Descendants("circle").Select(circle => double.Parse(circle.Attribute("cy")!.Value, CultureInfo.InvariantCulture))];
        Assert.True(heights[1] < heights[0]);
        Assert.All(heights, height => Assert.InRange(height, 30, 282));
    }

    [Fact]
    public void ToHtml_NoPriorNoEncoders_LeavesThemOut()
    {
        var html = HtmlDocument.Parse(new LossPlot { Records = [Record(1), Record(2)] });
        Assert.Equal(["instance", "total", "rate"], html.Descendants("path").Select(path => (string?)path.Attribute("class")));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0)]
    public void ToHtml_OddLosses_StillDraw(double loss)
    {
        var html = new LossPlot { Records = [Record(1) with { Loss = loss, InstanceLoss = loss }, Record(2) with { Loss = loss, InstanceLoss = loss }] }.ToHtml();
        Assert.DoesNotMatch(new Regex("(cx|cy|x|y|x1|y1|d)=\"[^\"]*(NaN|Infinity|∞)"), html);
    }

    [Fact]
    public void ToHtml_NoSteps_SaysSo() =>
        Assert.Equal("No training step was done.", HtmlDocument.Parse(new LossPlot { Records = [] }).Descendants("p").Single().Value);

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
