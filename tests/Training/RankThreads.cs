using System.Net;
using System.Net.Sockets;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>The ranks of a run as threads of this process.</summary>
internal static class RankThreads
{
    /// <summary>Does some work on each rank.</summary>
    /// <returns>By rank.</returns>
    public static IReadOnlyList<T> Run<T>(int count, Func<Rendezvous, T> work)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = Math.Min(((IPEndPoint)socket.LocalEndPoint!).Port, ushort.MaxValue - 16);
        var runs = Enumerable.Range(0, count).Select(rank => Task.Factory.StartNew(
            () =>
            {
                using var ranks = Rendezvous.Join(
                    new RankEnvironment { Rank = rank, Count = count, Port = port }, "a secret of the tests"u8.ToArray(), "",
                    new RendezvousOptions { Silence = TimeSpan.FromMinutes(2) }, default);
                try
                {
                    return work(ranks);
                }
                catch (Exception error) when (error is not RankFailureException)
                {
                    ranks.Fail(error.Message);
                    throw;
                }
            },
            TaskCreationOptions.LongRunning)).ToArray();
        Assert.True(Task.WaitAll(runs, TimeSpan.FromMinutes(5)));
        return [.. runs.Select(run => run.Result)];
    }
}
