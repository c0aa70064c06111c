using System.Diagnostics;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// Sums between GPUs by NCCL, one rank a GPU. NCCL does not report a peer that died, and its kernels then wait for ever: a thread looks at
/// the rendezvous and at the time, and ends them.
/// </summary>
internal sealed class NcclCollective : ICollective
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly NcclCommunicator _communicator;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _watch;
    private int _sums, _pending;

    private NcclCollective(Rendezvous ranks, NcclCommunicator communicator)
    {
        (Ranks, _communicator) = (ranks, communicator);
        _watch = new Thread(Watch) { IsBackground = true, Name = "Watch of sums" };
        _watch.Start();
    }

    /// <inheritdoc/>
    public Rendezvous Ranks { get; }

    /// <summary>Joins the ranks' GPUs; rank 0 hands out NCCL's identifier.</summary>
    /// <exception cref="RankFailureException">A rank failed meanwhile, or NCCL does not connect them in time.</exception>
    /// <exception cref="LabException">NCCL refuses.</exception>
    public static NcclCollective Join(Rendezvous ranks)
    {
        var id = ranks.Broadcast(ranks.IsFirst ? NcclCommunicator.CreateId() : null);

        // NCCL waits for all without a limit; where one fails or time is up, the thread stays behind and ends with the process.
        NcclCommunicator? joined = null;
        Exception? refusal = null;
        var join = new Thread(() =>
        {
            try
            {
                joined = NcclCommunicator.Join(id, ranks.Count, ranks.Rank);
            }
            catch (Exception error)
            {
                refusal = error;
            }
        })
        { IsBackground = true, Name = "Joining NCCL" };
        join.Start();
        var clock = Stopwatch.StartNew();
        while (!join.Join(Look))
        {
            ranks.Check();
            if (clock.Elapsed > ranks.Limit)
            {
                ranks.End(
                    $"NCCL did not connect the GPUs of {ranks.Count} ranks within {ranks.Limit.TotalSeconds:0} s (LAB_COLLECTIVE_SECONDS), "
                    + $"as rank {ranks.Rank} saw it. Where machines have several networks, name the common one in NCCL_SOCKET_IFNAME.");
            }
        }

        return refusal is null ? new NcclCollective(ranks, joined!) : throw new LabException(refusal.Message, refusal);
    }

    /// <inheritdoc/>
    public void Sum(Tensor flat)
    {
        Ranks.Check();
        Interlocked.Increment(ref _sums);
        Volatile.Write(ref _pending, 1);
        _communicator.AllReduce(flat);
    }

    /// <inheritdoc/>
    public RankFailureException? Settle()
    {
        Volatile.Write(ref _pending, 0);
        return Ranks.Failure;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Set();
        _watch.Join();
        if (Ranks.Failure is null)
            _communicator.Dispose();
        _ended.Dispose();
    }

    private void Watch()
    {
        var (sum, waited, last) = (0, TimeSpan.Zero, Stopwatch.GetTimestamp());
        while (!_ended.Wait(Look))
        {
            var (now, current) = (Stopwatch.GetTimestamp(), Volatile.Read(ref _sums));
            var passed = Stopwatch.GetElapsedTime(last, now);
            last = now;
            if (Volatile.Read(ref _pending) == 0 || current != sum || Ranks.IsAnyBusy)
                (sum, waited) = (current, TimeSpan.Zero);
            else
                waited += passed;
            if (waited > Ranks.Limit)
            {
                Ranks.End(
                    $"Rank {Ranks.Rank} waited {Ranks.Limit.TotalSeconds:0} s for a sum (LAB_COLLECTIVE_SECONDS): another rank lives, but "
                    + "did not come to it.");
            }

            if (Ranks.Failure is not null)
            {
                _communicator.Abort();
                return;
            }
        }
    }
}
