using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>Sums of tensors in main memory, over the rendezvous: rank 0 adds in the order of ranks, so that runs repeat exactly.</summary>
internal sealed class RankSums(Rendezvous ranks) : ICollective
{
    /// <inheritdoc/>
    public Rendezvous Ranks => ranks;

    /// <inheritdoc/>
    public void Sum(Tensor flat)
    {
        ranks.Sum(MemoryMarshal.Cast<byte, float>(flat.bytes));
        GC.KeepAlive(flat);
    }

    /// <inheritdoc/>
    public RankFailureException? Settle() => ranks.Failure;

    /// <inheritdoc/>
    public void Dispose()
    {
        // The ranks are the caller's.
    }
}
