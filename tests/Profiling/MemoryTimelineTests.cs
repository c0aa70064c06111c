using Dreambooth.Lab.Native;
using Dreambooth.Lab.Profiling;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Profiling;

public class MemoryTimelineTests
{
    private const long MiB = 1 << 20;

    [Fact]
    public void Run_TensorsInAPhase_AreSeenThereAndNotAfter()
    {
        TorchLibraries.EnsureLoaded();
        // What other tests left is given back now and not in a phase.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var timeline = new MemoryTimeline();
        timeline.Run("small", () => ones(MiB).Dispose());
        timeline.Run("large", () =>
        {
            using var tensor = ones(16 * MiB);
            // Until the watching thread has had its turn, which may take its time on a busy machine.
            SpinWait.SpinUntil(
                () => timeline.Profile() is var seen && seen.PeakOf("large") - seen.Phases[1].Before >= 60 * MiB, TimeSpan.FromSeconds(30));
        });
        timeline.Run("after", () => Thread.Sleep(10));
        var profile = timeline.Profile();
        Assert.Equal(["small", "large", "after"], profile.Phases.Select(phase => phase.Name));
        Assert.All(
            profile.Phases, phase => Assert.True(phase.Start <= phase.End && phase.Peak >= phase.Before && phase.Peak >= phase.After));
        if (profile.Figure != MemoryFigure.Allocated)
            return;
        // 16 million float32 are 64 MiB; what runs beside this test may hold some of its own.
        Assert.InRange(profile.PeakOf("large")!.Value - profile.Phases[1].Before, 60 * MiB, 2048 * MiB);
        Assert.True(profile.PeakOf("large") > profile.Phases[2].Before + (30 * MiB));
        Assert.Null(profile.PeakOf("none"));
    }

    [Fact]
    public void Run_InsideAPhase_IsRefused()
    {
        using var timeline = new MemoryTimeline();
        Assert.Throws<InvalidOperationException>(() => timeline.Run("outer", () => timeline.Run("inner", () => { })));
    }

    [Fact]
    public void Run_WorkThatFails_EndsItsPhase()
    {
        using var timeline = new MemoryTimeline();
        Assert.Throws<FormatException>(() => timeline.Run("broken", () => throw new FormatException()));
        timeline.Run("next", () => { });
        Assert.Equal(["broken", "next"], timeline.Profile().Phases.Select(phase => phase.Name));
    }
}
