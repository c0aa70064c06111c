using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Display;

public sealed class TrainingViewsTests
{
    private static readonly StubJudge Judge =
        new("a stub", (_, image) => new Dictionary<string, double> { ["fidelity"] = image.Pixels[0] });

    private static readonly ValidationReading[] Readings =
    [
        new(0, new Dictionary<string, double> { ["fidelity"] = 0.5, ["other"] = 0.1 }),
        new(8, new Dictionary<string, double> { ["fidelity"] = 0.75 }),
    ];

    [Theory]
    [InlineData(3, 3)]
    [InlineData(1000, 90)]
    public void GradientNorms_StepsOfTwoModels_AreALineEachAndTheLimit(int steps, int atLeast)
    {
        var chart = Enumerable.Range(1, steps).Select(step => new StepRecord
        {
            Step = step,
            Epoch = 0,
            Loss = 1,
            InstanceLoss = 1,
            LearningRate = 1,
            GradNorm = 5,
            GradNorms = new Dictionary<string, double> { ["transformer"] = 4, ["text_encoder"] = 3 },
            Seconds = 1,
            ImagesPerSecond = 1,
        }).ToList().GradientNorms(clippedAt: 1);
        Assert.Equal(["all", "text_encoder", "transformer", "clipped at"], chart.Series.Select(series => series.Name));
        Assert.Equal([5, 3, 4, 1], chart.Series.Select(series => Math.Round(series.Y[0], 9)));
        Assert.InRange(chart.Series[0].Y.Count, atLeast, 100);
        Assert.Empty(Array.Empty<StepRecord>().GradientNorms(1).Series);
    }

    [Fact]
    public void Of_PicturesOfTwoSteps_AreMeansByStep()
    {
        using var pictures = new PictureSamples();
        foreach (var (step, index) in new[] { (0, 0), (0, 1), (8, 0) })
            pictures.Add(Path.GetRelativePath(pictures.Folder, ValidationPicture.PathOf(pictures.Folder, step, index)), seed: step + index);
        var config = new DreamBoothConfig
        {
            PretrainedModelNameOrPath = "m",
            InstanceDataDir = "p",
            InstancePrompt = "a",
            OutputDir = pictures.Folder,
            ValidationPrompt = "a cat",
        };
        double Pixel(int step, int index) =>
            ImageDecoder.Load(ValidationPicture.PathOf(pictures.Folder, step, index)).Pixels[0];
        var readings = ValidationReading.Of(config, Judge);
        Assert.Equal(
            [(0, (Pixel(0, 0) + Pixel(0, 1)) / 2), (8, Pixel(8, 0))],
            readings.Select(reading => (reading.Step, reading.Scores["fidelity"])));
        Assert.Empty(ValidationReading.Of(config with { ValidationPrompt = null }, Judge));
    }

    [Fact]
    public void Chart_Readings_HasEveryScoreTheCeilingAndTheJudge()
    {
        var chart = Readings.Chart(Judge);
        Assert.Equal(["fidelity", "other", "real pictures among themselves"], chart.Series.Select(series => series.Name));
        Assert.Equal([0.5, 0.75], chart.Series[0].Y);
        Assert.Contains("a stub", chart.YTitle, StringComparison.Ordinal);
    }

    [Fact]
    public void Views_NoScores_SayWhy()
    {
        ValidationReading[] none = [new(0, new Dictionary<string, double>())];
        var judge = new StubJudge("none: no network", (_, _) => new Dictionary<string, double>());
        Assert.Contains("no network", none.Chart(judge).ToHtml(), StringComparison.Ordinal);
        Assert.Contains("no network", none.Beside(judge, ("fidelity", "0.8", "0.9")).ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Beside_Expectations_AreOfScoresThatThereAre() => Assert.Equal(
        [["fidelity", "0.500", "low", "0.750", "high"]], Readings.Beside(Judge, ("fidelity", "low", "high"), ("identity", "0", "1")).Rows);
}
