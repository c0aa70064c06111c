using Dreambooth.Lab.Native;
using Dreambooth.Lab.Profiling;

namespace Dreambooth.Lab.Tests.Profiling;

/// <summary>The most that tensors held while something ran, for tests that it stays low.</summary>
internal static class PeakMemory
{
    /// <summary>Whether native allocations are counted here (glibc 2.33 or later).</summary>
    public static bool IsCounted => ProcessMemory.Read().Allocated is not null;

    /// <summary>
    /// Bytes that native code held at its most while some work ran, over what it held before; the first run, which fills caches, does not
    /// count. A peak that is short may be missed on a busy machine, so that tests may ask for no more than it, and not for no less.
    /// </summary>
    public static long Of(Action work)
    {
        work();
        // What other tests left is given back now and not meanwhile.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var timeline = new MemoryTimeline(interval: TimeSpan.FromMilliseconds(0.2));
        timeline.Run("work", work);
        var profile = timeline.Profile();
        return profile.PeakOf("work")!.Value - profile.Phases[0].Before;
    }

    /// <summary>
    /// The same for the side of a comparison that is to be the larger: of three runs, for a peak may be missed but not invented.
    /// </summary>
    /// <param name="work">The work.</param>
    public static long AtLeastOf(Action work) => Enumerable.Range(0, 3).Max(_ => Of(work));
}
