using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Cluster;

/// <summary>A real Slurm of two nodes by name, n1 and n2, on this one machine (<c>tests/fixtures/slurm/cluster.sh</c>).</summary>
public sealed class SlurmCluster : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-slurm-").FullName;
    private readonly bool _started;

    public SlurmCluster()
    {
        string[] programs = ["sbatch", "srun", "scontrol", "slurmctld", "slurmd", "munged", "mungekey"];
        string[] missing = OperatingSystem.IsLinux() ? [.. programs.Where(program => !IsThere(program))] : ["Linux"];
        Missing = missing.Length == 0 ? null
            : $"A Slurm needs {string.Join(", ", missing)}: on Debian, apt-get install slurm-wlm munge.";
        if (Missing is not null)
            return;
        Script(["start", _folder, .. Enumerable.Range(0, 3).Select(_ => FreePort())]);
        _started = true;
    }

    /// <summary>Why there is no Slurm; null where there is one.</summary>
    public string? Missing { get; }

    /// <summary>Starts a Slurm command and waits for its end.</summary>
    /// <returns>What it wrote.</returns>
    public string Run(string program, params IEnumerable<string> arguments) => Finish(program, arguments);

    /// <summary>A folder for what several tests compare with.</summary>
    public string Shared => Path.Combine(_folder, "shared");

    /// <summary>Ends a node with what runs there, as when its machine is lost.</summary>
    /// <returns>Starts it again when disposed.</returns>
    public IDisposable LoseNode(string name)
    {
        Script("fail", _folder, name);
        return new LostNode(() => Script("node", _folder, name));
    }

    /// <summary>Waits until something has happened.</summary>
    public static void Await(Func<bool> condition, Func<string> told)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < Patience, told());
            Thread.Sleep(20);
        }
    }

    public void Dispose()
    {
        if (_started)
            Script("stop", _folder);
        // Daemons write their last lines while they end.
        for (var attempt = 0; Directory.Exists(_folder); attempt++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException) when (attempt < 100)
            {
                Thread.Sleep(50);
            }
        }
    }

    private void Script(params IEnumerable<string> arguments) =>
        Finish("bash", [Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "slurm", "cluster.sh"), .. arguments]);

    private string Finish(string program, IEnumerable<string> arguments)
    {
        // Daemons inherit a pipe and keep it open: their output goes to files.
        var (output, error) = (Path.Combine(_folder, $"{Guid.NewGuid():N}.out"), Path.Combine(_folder, $"{Guid.NewGuid():N}.err"));
        const string Line = "out=$1 err=$2; shift 2; exec \"$@\" > \"$out\" 2> \"$err\" < /dev/null";
        var start = new ProcessStartInfo("bash", ["-c", Line, "bash", output, error, program, .. arguments]);
        start.Environment["SLURM_CONF"] = Path.Combine(_folder, "slurm.conf");
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end within {Patience}.");
        }

        Assert.True(
            process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {File.ReadAllText(error)} {File.ReadAllText(output)}");
        return File.ReadAllText(output);
    }

    private sealed class LostNode(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }

    private static bool IsThere(string program) => $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin".Split(':')
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
