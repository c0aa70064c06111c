using System.Net;
using System.Net.Sockets;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class RendezvousTests
{
    private static readonly byte[] Secret = "a secret of the tests"u8.ToArray();
    private static readonly RendezvousOptions Patient = new() { Silence = TimeSpan.FromSeconds(60), Patience = TimeSpan.FromSeconds(60) };
    private static readonly RendezvousOptions Hasty = Patient with { Patience = TimeSpan.FromSeconds(1) };

    private const int Whole = 40; // bytes: the stranger's first message, at 4 a second

    private readonly int _port = FreePort();

    [Fact]
    public void Join_ThreeRanks_ExchangeAndSumInOrder()
    {
        var results = Run(3, meeting =>
        {
            meeting.Barrier();
            var first = meeting.Broadcast(meeting.IsFirst ? [7, 8] : null);
            var all = meeting.Gather([(byte)meeting.Rank]);
            float[] values = [meeting.Rank, 1e8f * (meeting.Rank == 1 ? 1 : -1)];
            meeting.Sum(values);
            meeting.Barrier();
            return string.Join(' ', [.. first, .. all.SelectMany(part => part), .. values]);
        });
        Assert.Equal(["7 8 0 1 2 3 -100000000", "7 8 3 -100000000", "7 8 3 -100000000"], results);
    }

    [Fact]
    public void Sum_MoreThanASocketHolds_IsWhole()
    {
        var results = Run(2, meeting =>
        {
            var values = Enumerable.Range(0, 2_000_000).Select(i => (float)(i + meeting.Rank)).ToArray();
            meeting.Sum(values);
            return $"{values[0]} {values[^1]}";
        });
        Assert.Equal(["1 3999999", "1 3999999"], results);
    }

    [Fact]
    public void Join_RankThatDoesNotCome_IsNamedOnEachRank()
    {
        var errors = Errors(3, absent: 2, Hasty);
        Assert.Equal(2, errors.Count);
        Assert.All(errors, error => Assert.StartsWith("Rank 2 of 3 did not come to rank 0 on 127.0.0.1:", error, StringComparison.Ordinal));
    }

    [Fact]
    public void Join_NoRankZero_SaysWhereItWasLookedFor()
    {
        var error = Assert.Single(Errors(2, absent: 0, Hasty));
        Assert.StartsWith($"Rank 0 of 2 was not found on 127.0.0.1, ports {_port + 1} to {_port + 16}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Join_OtherSecret_IsNeitherTakenNorFollowed()
    {
        var errors = Errors(2, null, Hasty, secret: rank => rank == 0 ? Secret : "another secret, longer"u8.ToArray());
        Assert.Contains("with another LAB_CLUSTER_SECRET", errors[0], StringComparison.Ordinal);
        Assert.Contains("ranks there have another LAB_CLUSTER_SECRET", errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Join_OtherSettings_IsRefusedByName()
    {
        var errors = Errors(2, null, Patient, fingerprint: rank => $"{rank}");
        Assert.All(errors, error => Assert.Contains("Rank 1 of 2", error, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.Contains("other settings than rank 0", error, StringComparison.Ordinal));
    }

    [Fact]
    public void Join_OtherNumberOfRanks_IsRefused()
    {
        var errors = Errors(2, null, Patient, counts: rank => 2 + rank);
        Assert.All(errors, error => Assert.Contains("was told of 3 ranks, and rank 0 of 2", error, StringComparison.Ordinal));
    }

    [Fact]
    public void Join_StrangersAndAnotherStart_AreSteppedOver()
    {
        // One says nothing, one says nonsense, and ranks of another start have the first port.
        using var others = new RunningMeeting(Place(0, 2) with { Launch = "other" }, Patient);
        using var silent = Knock(_port + 1);
        using var loud = Knock(_port + 1);
        loud.Send(new byte[100]);
        Assert.Equal(["0", "1"], Run(2, meeting => $"{meeting.Rank}"));
    }

    [Fact]
    public void Join_StrangerThatSendsAByteNowAndThen_IsShutOut()
    {
        using var meeting = new RunningMeeting(Place(0, 2), Patient with { Handshake = TimeSpan.FromSeconds(1) });
        using var slow = Knock(_port + 1);
        var sent = 0;
        for (; sent < Whole && !IsClosed(slow); sent++)
            slow.Send("LABRANK1"u8.Slice(sent % 8, 1));
        Assert.InRange(sent, 1, Whole - 1);
    }

    [Fact]
    public void Join_AddressOfAnotherMachine_SaysSo()
    {
        var place = Place(0, 2) with { Address = "192.0.2.1" };
        var error = Assert.Throws<RankFailureException>(() => Rendezvous.Join(place, Secret, "", Hasty, default));
        Assert.Contains("is no address of this machine", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Join_UnknownName_SaysSoOnEachRank()
    {
        var name = new string('x', 70); // No label of a name is longer than 63 letters: nobody needs to be asked.
        string Error(int rank) => Assert.Throws<RankFailureException>(() => Rendezvous.Join(
            Place(rank, 2) with { Address = name }, Secret, "", Hasty, default)).Message;
        Assert.Contains($"{name}, rank 0's machine, is a name that", Error(0), StringComparison.Ordinal);
        Assert.EndsWith("where that name is not known. Set MASTER_ADDR to an address.", Error(1), StringComparison.Ordinal);
    }

    [Fact]
    public void Join_Cancelled_EndsAndTellsTheOthers()
    {
        using var cancelled = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        var errors = Errors(3, absent: 2, Patient, cancellation: rank => rank == 0 ? cancelled.Token : CancellationToken.None);
        Assert.Contains("cancel", errors[0], StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("failed: it was cancelled.", errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Fail_OneRank_ReachesAllWithItsWords()
    {
        var errors = Failures(3, meeting =>
        {
            meeting.Barrier(); // All have joined.
            if (meeting.Rank == 2)
                meeting.Fail("the disk is full.");
            meeting.Barrier();
        });
        Assert.All(errors, error => Assert.EndsWith("failed: the disk is full.", error, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.StartsWith("Rank 2 of 3", error, StringComparison.Ordinal));
    }

    [Fact]
    public void Dispose_WhileOthersWait_EndsThemByName()
    {
        var errors = Failures(3, meeting =>
        {
            if (meeting.Rank == 1)
                return;
            meeting.Barrier();
            meeting.Barrier();
        });
        Assert.Equal("", errors[1]);
        Assert.All([errors[0], errors[2]], error => Assert.StartsWith("Rank 1 of 3", error, StringComparison.Ordinal));
    }

    [Fact]
    public void Sum_RankThatLivesAndDoesNotCome_EndsAtTheLimitUnlessBusy()
    {
        using var done = new ManualResetEventSlim();
        var errors = Failures(2, Patient with { Collective = TimeSpan.FromSeconds(1) }, meeting =>
        {
            if (meeting.Rank == 1)
            {
                using (meeting.Busy())
                    Assert.False(done.Wait(TimeSpan.FromSeconds(2)));
                meeting.Barrier();
                Assert.True(done.Wait(TimeSpan.FromSeconds(60)));
                return;
            }

            meeting.Barrier();
            try
            {
                meeting.Sum([1f]);
            }
            finally
            {
                done.Set();
            }
        });
        Assert.Contains("Rank 1 of 2", errors[0], StringComparison.Ordinal);
        Assert.Contains("did not come to a common step within 1 s", errors[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Sum_OtherLengths_IsAnErrorOnEach()
    {
        var errors = Failures(2, meeting => meeting.Sum(new float[1 + meeting.Rank]));
        Assert.All(errors, error => Assert.Contains("sums 2 numbers, and rank 0 1", error, StringComparison.Ordinal));
    }

    private RankEnvironment Place(int rank, int count) => new() { Rank = rank, Count = count, LocalRank = rank, Port = _port };

    private static int FreePort()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return Math.Min(((IPEndPoint)listener.LocalEndPoint!).Port, ushort.MaxValue - 20);
    }

    private static Socket Knock(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    }

    private static bool IsClosed(Socket socket)
    {
        try
        {
            return socket.Poll(TimeSpan.FromMilliseconds(250), SelectMode.SelectRead) && socket.Receive(new byte[1]) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private List<string> Run(int count, Func<Rendezvous, string> work) =>
        Threads(Enumerable.Range(0, count), rank =>
        {
            using var meeting = Rendezvous.Join(Place(rank, count), Secret, "", Patient, default);
            return work(meeting);
        });

    private List<string> Failures(int count, Action<Rendezvous> work) => Failures(count, Patient, work);

    private List<string> Failures(int count, RendezvousOptions options, Action<Rendezvous> work) =>
        Threads(Enumerable.Range(0, count), rank =>
        {
            using var meeting = Rendezvous.Join(Place(rank, count), Secret, "", options, default);
            return MessageOf(() => work(meeting));
        });

    private List<string> Errors(
        int count, int? absent, RendezvousOptions options, Func<int, byte[]>? secret = null, Func<int, string>? fingerprint = null,
        Func<int, int>? counts = null, Func<int, CancellationToken>? cancellation = null) =>
        Threads(Enumerable.Range(0, count).Where(rank => rank != absent), rank => MessageOf(() => Rendezvous.Join(
            Place(rank, counts?.Invoke(rank) ?? count), secret?.Invoke(rank) ?? Secret, fingerprint?.Invoke(rank) ?? "", options,
            cancellation?.Invoke(rank) ?? default).Dispose()));

    private static string MessageOf(Action work)
    {
        try
        {
            work();
            return "";
        }
        catch (Exception error) when (error is RankFailureException or OperationCanceledException)
        {
            return error.Message;
        }
    }

    private static List<string> Threads(IEnumerable<int> ranks, Func<int, string> work)
    {
        var runs = ranks.Select(rank => Task.Factory.StartNew(() => work(rank), TaskCreationOptions.LongRunning)).ToArray();
        Assert.True(Task.WaitAll(runs, TimeSpan.FromMinutes(2)));
        return [.. runs.Select(run => run.Result)];
    }

    private sealed class RunningMeeting : IDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Task _run;

        public RunningMeeting(RankEnvironment place, RendezvousOptions options)
        {
            _run = Task.Factory.StartNew(
                () => MessageOf(() => Rendezvous.Join(place, Secret, "", options, _end.Token).Dispose()), TaskCreationOptions.LongRunning);
            Assert.True(SpinWait.SpinUntil(() => Listens(place.Port + 1), TimeSpan.FromSeconds(60)));
        }

        public void Dispose()
        {
            _end.Cancel();
            _run.Wait();
            _end.Dispose();
        }

        private static bool Listens(int port)
        {
            try
            {
                using var socket = Knock(port);
                return true;
            }
            catch (SocketException)
            {
                Thread.Sleep(20);
                return false;
            }
        }
    }
}
