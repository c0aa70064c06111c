using Dreambooth.Lab.Bench;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Sweeps;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Bench;

public sealed class ApproximationsBenchmarkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_TinyModel_ComparesEachWithTheExactPictures()
    {
        using var judge = new StubJudge(
            "lightness", (_, image) => new Dictionary<string, double>
            {
                ["fidelity"] = image.Pixels.Average(value => value / 255.0),
                ["adherence"] = 1,
            });
        var axes = new SweepAxes { Prompts = ["a cat", "a dog"], Seeds = [0, 1], Width = 16, Height = 16 };
        Approximation same = new("same", "the same", Approximation.ExactSteps), few = new("few", "2 steps", 2);
        var small = new Approximation("small", "in 8 bits", Approximation.ExactSteps) { Quantization = Quantization.Fp8 };
        using var benchmark = new ApproximationsBenchmark(TinyPipeline.Load, judge, axes, _folder.Path);
        var figures = benchmark.Run([same, few, small], default).ToList();
        Assert.Equal(["exact", "same", "few", "small"], figures.Select(figure => figure.Approximation.Name));
        Assert.Equal((0, 0), (figures[1].Difference, figures[1].FidelityChange!.Mean));
        Assert.True(figures[2].Difference > 1);
        Assert.NotEqual(0, figures[2].FidelityChange!.Mean);
        Assert.InRange(figures[3].Difference, 0.01, figures[2].Difference);
        Assert.Equal(figures[2].Fidelity.Mean - figures[0].Fidelity.Mean, figures[2].FidelityChange!.Mean, 1e-9);
        Assert.All(figures, figure => Assert.Equal((4, 1.0), (figure.Fidelity.Count, figure.Adherence.Mean)));

        var html = new ApproximationsPage(figures, axes, judge.Name).Build().ToHtml();
        Assert.Contains("2 steps", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cache-2", 32)]
    [InlineData("steps-14", 28)]
    [InlineData("interval-20-80", 45)]
    [InlineData("zero-star", 54)]
    [InlineData("perturbed-1", 84)]
    [InlineData("skip-3", 61)]
    public void Rows_CountsWhatGoesThroughTheBlocks(string name, int rows) =>
        Assert.Equal(rows, Approximation.Parse(name).Single().Rows);

    [Fact]
    public void Parse_ListsAndNames_GivesEachOnce()
    {
        Assert.Equal(Approximation.Faster, Approximation.Parse("faster, cache-2"));
        Assert.Equal(
            ["steps-10", .. Approximation.Guided.Select(one => one.Name)], Approximation.Parse("steps-10,guided").Select(one => one.Name));
        Assert.Contains("steps-20", Assert.Throws<UsageException>(() => Approximation.Parse("fewer")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cache-2", 16)]
    [InlineData("cache-3", 12)]
    [InlineData("steps-14", 14)]
    public void WholeSteps_CountsThoseInWhichTheBlocksRun(string name, int steps) =>
        Assert.Equal(steps, Approximation.Faster.Single(approximation => approximation.Name == name).WholeSteps);
}
