using Dreambooth.Lab.Miniature.Pretraining;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public class TimeBoxTests
{
    [Fact]
    public void Progress_OfASecondStretch_GoesOnWhereTheFirstEnded()
    {
        var box = new TimeBox(minutes: 1000, from: 0.4, to: 0.8, maxSteps: 100);
        Assert.Equal(0.4, box.Progress(0), 3);
        Assert.Equal(0.6, box.Progress(50), 3);
        Assert.Equal(0.8, box.Progress(100), 3);
        Assert.False(box.IsOver(99));
        Assert.True(box.IsOver(100));
    }

    [Fact]
    public void RateFactor_OverARun_RisesThenFallsToItsEnd()
    {
        var box = new TimeBox(minutes: 1000, maxSteps: 1000);
        Assert.Equal(0.1, box.RateFactor(9, 100, 0.05), 2);
        Assert.True(box.RateFactor(100, 100, 0.05) > 0.95);
        Assert.Equal(0.525, box.RateFactor(500, 100, 0.05), 3);
        Assert.Equal(0.05, box.RateFactor(1000, 100, 0.05), 3);
    }

    [Fact]
    public void IsOver_TimeUp_EndsTheRun()
    {
        var box = new TimeBox(minutes: 0);
        box.Look();
        Assert.True(box.IsOver(0));
    }
}
