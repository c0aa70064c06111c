using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class BootstrapTests
{
    [Fact]
    public void Mean_TwoPromptsOfOneValueEach_HasTheIntervalOfTheirFewDraws()
    {
        // Of two prompts, a quarter of the draws is the first twice, a quarter the second twice.
        ScoreSample[] samples = [new(0, 1, 0.2), new(0, 2, 0.2), new(1, 1, 0.6), new(1, 2, 0.6)];
        Assert.Equal(new ScoreInterval(0.4, 0.2, 0.6, 4), Rounded(Bootstrap.Mean(samples, seed: 5)));
        Assert.Equal(new ScoreInterval(0.4, 0.4, 0.4, 4), Rounded(Bootstrap.Mean(samples, seed: 5, level: 0.4)));
    }

    [Fact]
    public void Mean_ManyPromptsOfManySeeds_IsAsWideAsTheTheorySays()
    {
        // Values of ±1 by prompt alone: the mean of 100 draws has a standard deviation of 0.1, whatever the seeds.
        var samples = Enumerable.Range(0, 400).Select(i => new ScoreSample(i / 4, i % 4, i / 4 % 2 == 0 ? 1 : -1)).ToArray();
        var interval = Bootstrap.Mean(samples, seed: 1, draws: 20_000);
        Assert.Equal(-0.196, interval.Low!.Value, 0.02);
        Assert.Equal(0.196, interval.High!.Value, 0.02);
    }

    [Fact]
    public void Mean_OneSeed_GivesTheSameAgain()
    {
        var samples = Enumerable.Range(0, 12).Select(i => new ScoreSample(i / 3, i % 3, Math.Sin(i))).ToArray();
        Assert.Equal(Bootstrap.Mean(samples, seed: 7), Bootstrap.Mean(samples, seed: 7));
        Assert.NotEqual(Bootstrap.Mean(samples, seed: 7), Bootstrap.Mean(samples, seed: 8));
    }

    [Fact]
    public void Mean_OnePicture_HasNoInterval() =>
        Assert.Equal(new ScoreInterval(0.5, null, null, 1), Bootstrap.Mean([new(0, 0, 0.5)], seed: 1));

    [Fact]
    public void Difference_SmallBesideTheSpread_IsSureBecauseItIsPaired()
    {
        var first = Enumerable.Range(0, 20).Select(i => new ScoreSample(i / 4, i % 4, Math.Cos(i * i))).ToArray();
        var second = first.Select(sample => sample with { Value = sample.Value + 0.01 + (sample.Seed * 0.001) }).Reverse().ToArray();
        var difference = Bootstrap.Difference(first, second, seed: 3);
        Assert.Equal(0.0115, difference.Mean, 1e-9);
        Assert.True(difference.IsAboveZero);
        Assert.True(Bootstrap.Difference(second, first, seed: 3).IsBelowZero);
        Assert.False(Bootstrap.Difference(first, first, seed: 3) is { IsAboveZero: true } or { IsBelowZero: true });
        // Unpaired, the two intervals overlap.
        Assert.True(Bootstrap.Mean(first, seed: 3).High > Bootstrap.Mean(second, seed: 3).Low);
    }

    [Fact]
    public void Scores_ThatCannotBeCompared_AreRefused()
    {
        ScoreSample[] one = [new(0, 1, 0.2), new(0, 2, 0.3)];
        Assert.Throws<LabException>(() => Bootstrap.Difference(one, [new(0, 1, 0.2), new(0, 3, 0.3)], seed: 1));
        Assert.Throws<LabException>(() => Bootstrap.Difference(one, [new(0, 1, 0.2)], seed: 1));
        Assert.Throws<LabException>(() => Bootstrap.Mean([], seed: 1));
        Assert.Throws<LabException>(() => Bootstrap.Mean([new(0, 1, 0.2), new(0, 1, 0.3)], seed: 1));
    }

    private static ScoreInterval Rounded(ScoreInterval interval) => interval with
    {
        Mean = Math.Round(interval.Mean, 9),
        Low = Math.Round(interval.Low!.Value, 9),
        High = Math.Round(interval.High!.Value, 9),
    };
}
