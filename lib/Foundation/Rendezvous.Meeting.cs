using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Dreambooth.Lab.Foundation;

/// <content>How the ranks find each other.</content>
internal sealed partial class Rendezvous
{
    private const int PortsTried = 16, MostKnocks = 64;
    private static readonly TimeSpan Reply = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<int, RankHello> _claimed = [];
    private int _knocks, _strangers;

    /// <summary>
    /// Waits until all ranks are here. Rank 0 listens on <see cref="RankEnvironment.Address"/> alone; the others look for it there, on
    /// <see cref="RendezvousOptions.Port"/> or the 16 ports above <see cref="RankEnvironment.Port"/>.
    /// </summary>
    /// <param name="place">This process's place, of 2 ranks or more.</param>
    /// <param name="secret">What all ranks know and others do not.</param>
    /// <param name="fingerprint">Of the program and its settings; ranks with another are refused.</param>
    /// <param name="options">Port and time limits.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="RankFailureException">A rank did not come in time, ended or cannot join; the message names it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the ranks that came get an error.</exception>
    public static Rendezvous Join(
        RankEnvironment place, byte[] secret, string fingerprint, RendezvousOptions options,
        CancellationToken cancellation)
    {
        var meeting = new Rendezvous(RankHello.Of(place, fingerprint), options);
        try
        {
            if (place.IsFirst)
                meeting.Host(place, secret, cancellation);
            else
                meeting.Look(place, secret, cancellation);
            return meeting;
        }
        catch (Exception error)
        {
            if (error is not RankFailureException)
                meeting.Fail(error is OperationCanceledException ? RankFailureException.Cancelled : error.Message);
            meeting.Dispose();
            throw;
        }
    }

    private void Host(RankEnvironment place, byte[] secret, CancellationToken cancellation)
    {
        using var listener = Listen(place);
        var clock = Stopwatch.StartNew();
        while (Missing() is [_, ..] missing)
        {
            cancellation.ThrowIfCancellationRequested();
            Check();
            if (clock.Elapsed > _options.Patience)
                throw Raised(NotCome(missing, listener.LocalEndPoint!));
            if (!listener.Poll(Slice, SelectMode.SelectRead))
                continue;
            var socket = listener.Accept();
            if (Interlocked.Increment(ref _knocks) <= MostKnocks)
            {
                new Thread(() => Receive(socket, secret)) { IsBackground = true, Name = "Joining rank" }.Start();
                continue;
            }

            Interlocked.Decrement(ref _knocks);
            socket.Dispose();
        }

        _started = true;
        foreach (var link in Links())
            link.TrySend(RankLink.Kind.Go, [], milliseconds: 1000);
    }

    private IReadOnlyList<int> Missing()
    {
        lock (_links)
            return [.. Enumerable.Range(1, Count - 1).Where(rank => !_links.ContainsKey(rank))];
    }

    private string NotCome(IReadOnlyList<int> missing, EndPoint where) =>
        $"{(missing.Count == 1 ? "Rank" : "Ranks")} {string.Join(", ", missing)} of {Count} did not come to rank 0 on {where} within "
        + $"{_options.Patience.TotalSeconds:0} s (LAB_RENDEZVOUS_SECONDS): not started, or this address cannot be reached from there"
        + (_strangers == 0 ? "." : $", or with another {RankSecret.Variable}: {_strangers} connections did not know it.");

    // A thread of its own for each that comes: one that says nothing delays nobody.
    private void Receive(Socket socket, byte[] secret)
    {
        try
        {
            socket.ReceiveTimeout = socket.SendTimeout = (int)Reply.TotalMilliseconds;
            using var stream = new NetworkStream(socket, ownsSocket: false);
            if (Challenge(socket, stream, secret) is not { } came)
            {
                Interlocked.Increment(ref _strangers);
                socket.Dispose();
            }
            else
            {
                Judge(socket, stream, secret, came.Hello, came.Numbers);
            }
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException or System.Text.Json.JsonException)
        {
            Interlocked.Increment(ref _strangers);
            socket.Dispose();
        }
        finally
        {
            Interlocked.Decrement(ref _knocks);
        }
    }

    // A peer that sends a byte now and then keeps each read going.
    private (RankHello Hello, byte[] Numbers)? Challenge(Socket socket, Stream stream, byte[] secret)
    {
        using var limit = new CancellationTokenSource(_options.Handshake);
        using var end = limit.Token.Register(socket.Dispose);
        return RankHandshake.Challenge(stream, secret);
    }

    private void Judge(Socket socket, Stream stream, byte[] secret, RankHello other, byte[] numbers)
    {
        if (other.Launch != _own.Launch)
        {
            RankHandshake.Tell(stream, secret, numbers, RankHandshake.Answer.OtherLaunch, "of another start");
            socket.Dispose();
            return;
        }

        var objection = _own.Objection(other);
        lock (_links)
        {
            if (objection is null && !_claimed.TryAdd(other.Rank, other))
                objection = $"{other} came twice: the other is {_claimed[other.Rank]}. Each rank must have a number of its own.";
        }

        if (objection is not null)
        {
            RankHandshake.Tell(stream, secret, numbers, RankHandshake.Answer.Refused, objection);
            socket.Dispose();
            Raise(objection);
            return;
        }

        try
        {
            // Nothing else is sent to it before the verdict.
            RankHandshake.Tell(stream, secret, numbers, RankHandshake.Answer.Welcome, _own);
        }
        catch
        {
            lock (_links)
                _claimed.Remove(other.Rank); // It comes again.
            throw;
        }

        Add(other.Rank, new RankLink(socket, other, _options.Silence));
    }

    private void Add(int rank, RankLink link)
    {
        lock (_links)
            _links[rank] = link;
        link.Start(OnFailure);
    }

    private void Look(RankEnvironment place, byte[] secret, CancellationToken cancellation)
    {
        var (clock, otherSecret) = (Stopwatch.StartNew(), false);
        while (!Find(place, secret, ref otherSecret, cancellation))
        {
            if (clock.Elapsed > _options.Patience)
            {
                throw new RankFailureException(
                    $"Rank 0 of {Count} was not found on {place.Address}, {PortText(place)}, within {_options.Patience.TotalSeconds:0} s "
                    + "(LAB_RENDEZVOUS_SECONDS) by "
                    + $"rank {Rank}{(otherSecret ? $": ranks there have another {RankSecret.Variable}." : Unknown(place))}");
            }

            cancellation.WaitHandle.WaitOne(Pause);
            cancellation.ThrowIfCancellationRequested();
        }

        while (!_started)
        {
            cancellation.ThrowIfCancellationRequested();
            Check();
            try
            {
                _started = _links[0].Take((int)Slice.TotalMilliseconds, _failed.Token)?.Kind == RankLink.Kind.Go;
            }
            catch (OperationCanceledException)
            {
                Check();
            }
        }
    }

    private bool Find(RankEnvironment place, byte[] secret, ref bool otherSecret, CancellationToken cancellation)
    {
        var addresses = Resolve(place.Address);
        foreach (var port in Ports(place))
        {
            foreach (var address in addresses)
            {
                cancellation.ThrowIfCancellationRequested();
                if (Connect(new IPEndPoint(address, port), cancellation) is not { } socket)
                    continue;
                if (Knock(socket, secret, ref otherSecret) is { } first)
                {
                    Add(0, new RankLink(socket, first, _options.Silence));
                    return true;
                }

                socket.Dispose();
            }
        }

        return false;
    }

    private RankHello? Knock(Socket socket, byte[] secret, ref bool otherSecret)
    {
        try
        {
            socket.ReceiveTimeout = socket.SendTimeout = (int)Reply.TotalMilliseconds;
            using var stream = new NetworkStream(socket, ownsSocket: false);
            var (answer, first, reason) = RankHandshake.Knock(stream, secret, _own);
            otherSecret |= answer == RankHandshake.Answer.OtherSecret;
            return answer == RankHandshake.Answer.Refused ? throw new RankFailureException(reason!) : first;
        }
        catch (Exception error) when (error is IOException or SocketException or System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
