using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// The ranks of a run that have found each other: each has a connection to rank 0, over which they exchange bytes and small sums and see
/// within bounded time that one has ended or hangs; then all get an error that names it. All ranks must make the same calls in the same
/// order.
/// </summary>
internal sealed partial class Rendezvous : IDisposable
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    private readonly RankHello _own;
    private readonly RendezvousOptions _options;
    private readonly Dictionary<int, RankLink> _links = []; // By rank; the lock is the dictionary.
    private readonly CancellationTokenSource _failed = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _pulse;
    private RankFailureException? _failure;
    private long _number;
    private int _busy;
    private bool _started;

    private Rendezvous(RankHello own, RendezvousOptions options)
    {
        (_own, _options) = (own, options);
        _pulse = new Thread(Beat) { IsBackground = true, Name = "Heartbeat of ranks" };
        _pulse.Start();
    }

    /// <summary>This process's number among all, from 0.</summary>
    public int Rank => _own.Rank;

    /// <summary>How many ranks there are, 2 or more.</summary>
    public int Count => _own.Count;

    /// <summary>Whether this process writes what all share.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Cancelled when the ranks cannot go on; its callbacks run on a thread of the rendezvous.</summary>
    public CancellationToken Failed => _failed.Token;

    /// <summary>Why they cannot; null while they can.</summary>
    public RankFailureException? Failure => Volatile.Read(ref _failure);

    /// <summary>How long a collective operation may wait for a rank that is not busy.</summary>
    public TimeSpan Limit => _options.Collective;

    /// <summary>Whether this rank or another does longer work that others wait for, such as pictures of rank 0.</summary>
    public bool IsAnyBusy => Volatile.Read(ref _busy) > 0 || Links().Any(link => link.IsBusy);

    /// <summary>Says that this rank does longer work, until the result is disposed: others wait for it while it lives.</summary>
    public IDisposable Busy()
    {
        Interlocked.Increment(ref _busy);
        return new Work(this);
    }

    /// <summary>Throws what keeps the ranks from going on.</summary>
    /// <exception cref="RankFailureException">A rank has ended, hangs or failed.</exception>
    public void Check()
    {
        if (Failure is { } failure)
            throw new RankFailureException(failure.Message);
    }

    /// <summary>Says to all ranks that this one cannot go on.</summary>
    /// <param name="message">Why, for the others' users.</param>
    public void Fail(string message) => Raise($"{_own} failed: {message}");

    /// <summary>Says to all ranks that they cannot go on, where this one is not to blame.</summary>
    /// <param name="message">Which rank is, and why.</param>
    public void End(string message) => Raise(message);

    /// <summary>Gives rank 0's bytes to all.</summary>
    /// <param name="content">The bytes; of rank 0 only.</param>
    /// <exception cref="RankFailureException">A rank has ended, hangs or failed.</exception>
    public byte[] Broadcast(byte[]? content)
    {
        _number++;
        if (!IsFirst)
            return Take(_links[0]);
        foreach (var link in Links())
            Send(link, content!);
        return content!;
    }

    /// <summary>Brings every rank's bytes to rank 0.</summary>
    /// <param name="content">This rank's.</param>
    /// <returns>By rank; on others than rank 0, empty.</returns>
    /// <exception cref="RankFailureException">A rank has ended, hangs or failed.</exception>
    public IReadOnlyList<byte[]> Gather(byte[] content)
    {
        _number++;
        if (!IsFirst)
        {
            Send(_links[0], content);
            return [];
        }

        return [content, .. Links().Select(Take)];
    }

    /// <summary>Waits until all ranks are here.</summary>
    /// <exception cref="RankFailureException">A rank has ended, hangs or failed.</exception>
    public void Barrier()
    {
        Gather([]);
        Broadcast(IsFirst ? [] : null);
    }

    /// <summary>Replaces numbers by their sums over all ranks, added in the order of ranks: the same in every run.</summary>
    /// <param name="values">As many on every rank.</param>
    /// <exception cref="RankFailureException">A rank has ended, hangs or failed.</exception>
    public void Sum(Span<float> values)
    {
        _number++;
        if (IsFirst)
        {
            foreach (var link in Links())
            {
                var other = MemoryMarshal.Cast<byte, float>(Take(link));
                if (other.Length != values.Length)
                    throw Raised($"{link.Peer} sums {other.Length} numbers, and rank 0 {values.Length}: they do not train the same.");
                for (var i = 0; i < values.Length; i++)
                    values[i] += other[i];
            }
        }
        else
        {
            Send(_links[0], MemoryMarshal.AsBytes(values));
        }

        _number++;
        if (IsFirst)
        {
            foreach (var link in Links())
                Send(link, MemoryMarshal.AsBytes(values));
        }
        else
        {
            MemoryMarshal.Cast<byte, float>(Take(_links[0])).CopyTo(values);
        }
    }

    /// <summary>Leaves the others. One that leaves while they wait for it ends them.</summary>
    public void Dispose()
    {
        _ended.Set();
        if (Thread.CurrentThread != _pulse)
            _pulse.Join();
        var links = Links();
        foreach (var link in links)
        {
            if (Failure is null)
                link.TrySend(RankLink.Kind.Leave, [], milliseconds: 1000);
            link.Finish();
        }

        foreach (var link in links)
            link.Dispose();
        _ended.Dispose();
        _failed.Dispose();
    }

    private IReadOnlyList<RankLink> Links()
    {
        lock (_links)
            return [.. _links.OrderBy(pair => pair.Key).Select(pair => pair.Value)];
    }

    private void Send(RankLink link, ReadOnlySpan<byte> content)
    {
        Check();
        try
        {
            link.Send(RankLink.Kind.Data, _number, content);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // What ended the connection is known to the reader, a little later at most.
            _failed.Token.WaitHandle.WaitOne(Slice);
            throw Raised($"{link.Peer} has ended or does not read: {error.Message}");
        }
    }

    private byte[] Take(RankLink link)
    {
        // Rank 0 knows which rank is late, and says so first.
        var (limit, waited) = (IsFirst ? Limit : Limit + _options.Silence, TimeSpan.Zero);
        while (true)
        {
            Check();
            var (since, hasLeft) = (Stopwatch.GetTimestamp(), link.HasLeft);
            try
            {
                if (link.Take((int)Slice.TotalMilliseconds, _failed.Token) is { } frame)
                {
                    return frame.Number == _number && frame.Kind == RankLink.Kind.Data ? frame.Content : throw Raised(
                        $"{link.Peer} is at exchange {frame.Number}, and rank {Rank} at {_number}: they do not do the same.");
                }
            }
            catch (OperationCanceledException)
            {
                continue;
            }

            if (hasLeft)
                throw Raised($"{link.Peer} has left, while rank {Rank} waited for it.");
            if (!IsAnyBusy)
                waited += Stopwatch.GetElapsedTime(since);
            if (waited > limit)
            {
                throw Raised(
                    $"{link.Peer} lives, but did not come to a common step within {limit.TotalSeconds:0} s (LAB_COLLECTIVE_SECONDS).");
            }
        }
    }

    private RankFailureException Raised(string message)
    {
        Raise(message);
        return new RankFailureException(Failure!.Message);
    }

    // The first failure counts. Rank 0 tells all others of it; another tells rank 0.
    private void Raise(string message)
    {
        if (Interlocked.CompareExchange(ref _failure, new RankFailureException(message), null) is not null)
            return;
        var content = Encoding.UTF8.GetBytes(message);
        foreach (var link in Links())
            link.TrySend(RankLink.Kind.Failure, content, milliseconds: 200);
        try
        {
            _failed.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }

    private void OnFailure(RankLink link, string? message) =>
        Raise(message ?? $"{link.Peer} has ended: its connection closed. Its own messages, or its machine's log, say why.");

    private void Beat()
    {
        var interval = TimeSpan.FromSeconds(Math.Min(2, Math.Min(_options.Silence.TotalSeconds, _options.Collective.TotalSeconds) / 5));
        var last = Stopwatch.GetTimestamp();
        while (!_ended.Wait(interval))
        {
            var links = Links();
            Beat(links);

            // Where this process was stopped itself, the others were not silent.
            if (Stopwatch.GetElapsedTime(last) > interval + (_options.Silence / 2))
            {
                foreach (var link in links)
                    link.Forgive();
            }

            last = Stopwatch.GetTimestamp();
            if (links.FirstOrDefault(link => !link.HasLeft && link.Quiet > _options.Silence) is { } silent)
            {
                Raise(
                    $"{silent.Peer} was silent for {_options.Silence.TotalSeconds:0} s (LAB_HEARTBEAT_SECONDS): it is stopped, or its "
                    + "machine cannot be reached.");
            }
        }
    }

    // Ranks other than 0 hear of each other's work through rank 0.
    private void Beat(IReadOnlyList<RankLink> links)
    {
        foreach (var link in links)
        {
            var busy = Volatile.Read(ref _busy) > 0 || links.Any(other => other != link && other.IsBusy);
            link.TrySend(RankLink.Kind.Beat, [busy ? (byte)1 : (byte)0]);
        }
    }

    private sealed class Work(Rendezvous owner) : IDisposable
    {
        private int _done;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _done, 1) == 0)
                Interlocked.Decrement(ref owner._busy);
        }
    }
}
