using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// Starts the ranks of a run on this machine as processes of this program, with torchrun's variables and a secret of their own. Rank 0
/// writes to this console. Where one fails, all are ended, and its error is shown.
/// </summary>
internal static class RankProcesses
{
    /// <summary>The most ranks on one machine.</summary>
    public const int Most = 256;

    /// <summary>The variable that tells a process that this started it: its standard input then ends it.</summary>
    public const string Variable = "LAB_STARTED_BY_RANKS";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ByThemselves = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AtLast = TimeSpan.FromMinutes(10); // Rank 0 may have a checkpoint to write.

    /// <summary>How this program is started: its executable, or dotnet and its assembly.</summary>
    public static IReadOnlyList<string> Program => Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet"
        ? [Environment.ProcessPath!, Environment.GetCommandLineArgs()[0]] : [Environment.ProcessPath!];

    /// <summary>Runs this process's command line as several ranks.</summary>
    /// <param name="count">How many.</param>
    /// <param name="device">The device that the user names.</param>
    /// <param name="session">Where errors of ranks other than 0 go; its cancellation ends all.</param>
    /// <returns>0, or the exit code of the rank that failed first.</returns>
    /// <exception cref="UsageException">There are fewer GPUs.</exception>
    public static int Run(int count, string device, Session session)
    {
        RankDevice.CheckEnough(Environment.GetEnvironmentVariable(RankDevice.Variable), count, device);
        var (port, secret) = (FreePort(), Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));
        var ranks = new List<RankProcess>();
        try
        {
            string[] command = [.. Program, .. Environment.GetCommandLineArgs()[1..]];
            for (var rank = 0; rank < count; rank++)
                ranks.Add(RankProcess.Start(command, Variables(rank, count, port, secret), shown: rank == 0));
            Await(ranks, session.Cancellation);
            return Verdict(ranks, session);
        }
        finally
        {
            foreach (var rank in ranks)
                rank.Dispose();
        }
    }

    /// <summary>Says how a run ended, where ranks may still run: those have no say.</summary>
    /// <param name="ranks">By rank.</param>
    /// <param name="session">Where the first failure goes, but for what rank 0 has said itself.</param>
    /// <returns>0, or the exit code of the rank that failed first.</returns>
    internal static int Verdict(IReadOnlyList<RankProcess> ranks, Session session)
    {
        var failed = ranks.Select((rank, number) => (Rank: rank, Number: number))
            .Where(each => each.Rank.HasEnded && each.Rank.Code != ExitCode.Success).OrderBy(each => each.Rank.Ended).ToList();
        if (failed is not [var (first, number), ..])
            return ExitCode.Success;
        if (first.Code != ExitCode.Cancelled && (number > 0 || first.WasSignalled))
            session.Fail($"rank {number} of {ranks.Count} {first.Reason()}");
        return first.Code;
    }

    private static void Await(IReadOnlyList<RankProcess> ranks, CancellationToken cancellation)
    {
        var told = false;
        Stopwatch? failing = null;
        while (ranks.Any(rank => !rank.HasEnded))
        {
            Thread.Sleep(Look);
            if (!cancellation.IsCancellationRequested && ranks.Any(rank => rank.HasEnded && rank.Code != ExitCode.Success))
                failing ??= Stopwatch.StartNew();

            // The others know of a failure from each other; those that have not met yet do not.
            if (!told && (cancellation.IsCancellationRequested || failing?.Elapsed > ByThemselves))
            {
                told = true;
                foreach (var rank in ranks)
                    rank.Cancel();
            }

            if (failing?.Elapsed > AtLast)
                return;
        }
    }

    private static Dictionary<string, string> Variables(int rank, int count, int port, string secret)
    {
        var (number, all) = (rank.ToString(CultureInfo.InvariantCulture), count.ToString(CultureInfo.InvariantCulture));
        var variables = new Dictionary<string, string>
        {
            ["RANK"] = number,
            ["LOCAL_RANK"] = number,
            ["WORLD_SIZE"] = all,
            ["LOCAL_WORLD_SIZE"] = all,
            ["MASTER_ADDR"] = "127.0.0.1",
            ["MASTER_PORT"] = port.ToString(CultureInfo.InvariantCulture),
            [RankSecret.Variable] = secret,
            [Variable] = "1",
        };

        // Otherwise each takes all processors, and they wait for each other.
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null)
            variables["OMP_NUM_THREADS"] = Math.Max(1, Environment.ProcessorCount / count).ToString(CultureInfo.InvariantCulture);
        return variables;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return Math.Min(((IPEndPoint)socket.LocalEndPoint!).Port, ushort.MaxValue - 16);
    }
}
