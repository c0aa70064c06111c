using TorchSharp;

namespace Dreambooth.Lab.Tests.Tensors;

/// <summary>Counts tensors, for tests that nothing is left behind.</summary>
internal static class LiveTensors
{
    /// <summary>
    /// How many more tensors of this thread are alive after the second run of <paramref name="work"/> than before it; the first run fills
    /// caches.
    /// </summary>
    public static long LeftBy(Action work)
    {
        work();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        work();
        return DisposeScopeManager.Statistics.ThreadTotalLiveCount - before;
    }
}
