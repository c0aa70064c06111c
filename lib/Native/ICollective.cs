using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>Sums of tensors over the ranks of a run. All ranks make the same calls in the same order.</summary>
internal interface ICollective : IDisposable
{
    /// <summary>The ranks, and what else they exchange.</summary>
    Rendezvous Ranks { get; }

    /// <summary>Chooses how: NCCL between GPUs, over the rendezvous between processors.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="device">Where this rank computes.</param>
    /// <exception cref="RankFailureException">Some ranks compute on a GPU and others do not, or a rank has failed.</exception>
    static ICollective Open(Rendezvous ranks, Device device)
    {
        var kind = device.type == DeviceType.CUDA ? "a GPU" : "the processor";
        var kinds = ranks.Gather(Encoding.UTF8.GetBytes(kind)).Select(Encoding.UTF8.GetString).ToList();
        if (kinds.FindIndex(other => other != kind) is > 0 and var odd)
        {
            ranks.End(
                $"Rank {odd} computes on {kinds[odd]}, and rank 0 on {kind}. Give each rank a GPU of its own, or all the device cpu.");
            ranks.Check();
        }

        ranks.Barrier();
        return device.type == DeviceType.CUDA ? NcclCollective.Join(ranks) : new RankSums(ranks);
    }

    /// <summary>Replaces a tensor by the sum over all ranks; on a GPU the work is only queued.</summary>
    /// <param name="flat">Contiguous, float32, on this rank's device; of the same length everywhere.</param>
    /// <exception cref="RankFailureException">A rank has failed, which this call finds at once.</exception>
    void Sum(Tensor flat);

    /// <summary>To be called when the host has waited for the sums: what they gave may be used only where this is null.</summary>
    /// <returns>Why the ranks cannot go on.</returns>
    RankFailureException? Settle();
}
