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
    /// <exception cref="RankFailureException">A rank failed meanwhile.</exception>
    /// <exception cref="LabException">NCCL refuses.</exception>
    public static NcclCollective Join(Rendezvous ranks)
    {
        var id = ranks.Broadcast(ranks.IsFirst ? NcclCommunicator.CreateId() : null);

        // NCCL waits for all without a limit; where one fails, the thread stays behind and ends with the process.
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
        while (!join.Join(Look))
            ranks.Check();
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
                Ranks.Fail($"a sum over all ranks took longer than {Ranks.Limit.TotalSeconds:0} s (LAB_COLLECTIVE_SECONDS); a GPU hangs.");
            if (Ranks.Failure is not null)
            {
                _communicator.Abort();
                return;
            }
        }
    }
}
