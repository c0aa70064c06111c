using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>A kernel in a process of its own with a client connected to it.</summary>
public sealed class KernelProcess : IDisposable
{
    private readonly string _connectionFile;
    private readonly Process _process;
    private const int MostStarts = 3;
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(5);
    private readonly StringBuilder _log = new();
    private readonly CountdownEvent _openStreams = new(2);

    private KernelProcess(string connectionFile, Process process, KernelClient client) =>
        (_connectionFile, _process, Client) = (connectionFile, process, client);

    /// <summary>The client.</summary>
    public KernelClient Client { get; }

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The process's id.</summary>
    public int Id => _process.Id;

    /// <summary>What the kernel wrote on its own standard error, for example the message of a crash.</summary>
    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>Takes what came to <see cref="Log"/> since the last call.</summary>
    /// <returns>Whole lines; empty when there are none.</returns>
    public string TakeLog()
    {
        lock (_log)
        {
            var text = _log.ToString();
            _log.Clear();
            return text;
        }
    }

    /// <summary>How the process ended, in words; to be read after it has. What it wrote last is in <see cref="Log"/> then.</summary>
    public string ExitText => AfterLastWords() switch
    {
        134 => "exit code 134: aborted (SIGABRT)",
        137 => "exit code 137: killed (SIGKILL), perhaps for want of memory",
        139 => "exit code 139: segmentation fault (SIGSEGV) in native code",
        var code => FormattableString.Invariant($"exit code {code}"),
    };

    /// <summary>Starts a kernel and waits until it answers.</summary>
    /// <param name="launch">The command line.</param>
    /// <param name="folder">The kernel's working folder.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <returns>The kernel.</returns>
    /// <exception cref="KernelException">The program cannot be started, ends at once or does not answer in time.</exception>
    public static KernelProcess Start(KernelLaunch launch, string folder, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(launch);
        for (var i = 1; ; i++)
        {
            try
            {
                return StartOnce(launch, folder, timeout);
            }
            catch (KernelException e) when (i < MostStarts && e.Message.Contains(KernelSockets.CannotBeBound, StringComparison.Ordinal))
            {
                // Another program took one of the ports, which are not reserved between their choice and the kernel's binding.
            }
        }
    }

    private static KernelProcess StartOnce(KernelLaunch launch, string folder, TimeSpan timeout)
    {
        var connection = FreeConnection();
        var file = Path.Combine(Path.GetTempPath(), $"kernel-{Guid.NewGuid():N}.json");
        connection.Write(file);
        var arguments = launch.Arguments.Select(a => a.Replace(KernelLaunch.ConnectionFilePlaceholder, file, StringComparison.Ordinal))
            .ToList();
        var start = new ProcessStartInfo(arguments[0], arguments.Skip(1))
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            Environment =
            {
                [Streams.NativeOutput.KeepStandardError] = "1",
                [ParentWatch.PipeVariable] = "1",
                [ParentWatch.Variable] = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture),
            },
        };
        foreach (var (name, value) in launch.Settings)
            start.Environment[name] = value;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            File.Delete(file);
            throw new KernelException($"The kernel '{arguments[0]}' cannot be started: {e.Message}", e);
        }

        var kernel = new KernelProcess(file, process, new KernelClient(connection));
        process.ErrorDataReceived += (_, e) => kernel.AddToLog(e.Data);
        process.OutputDataReceived += (_, e) => kernel.AddToLog(e.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        try
        {
            kernel.WaitUntilReady(timeout);
            return kernel;
        }
        catch
        {
            kernel.Dispose();
            throw;
        }
    }

    /// <summary>Asks the kernel to shut down, and kills it when it does not within two seconds.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Client.Send(Channel.Control, "shutdown_request", new JsonObject { ["restart"] = false });
            if (!_process.WaitForExit(2000))
                Kill();
        }

        Client.Dispose();
        _process.Dispose();
        File.Delete(_connectionFile);
    }

    /// <summary>Ends the process at once.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(2000);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    // Answers on shell and on iopub both: output that is published before the subscription stands would be lost.
    private void WaitUntilReady(TimeSpan timeout)
    {
        var clock = Stopwatch.StartNew();
        var (answered, subscribed) = (false, false);
        var lastAsked = TimeSpan.MinValue;
        while (!answered || !subscribed)
        {
            if (_process.HasExited)
                throw new KernelException($"The kernel ended before it answered ({ExitText}).\n{Log}".TrimEnd());
            if (clock.Elapsed > timeout)
                throw new KernelException(FormattableString.Invariant($"The kernel did not answer within {timeout.TotalSeconds:0} s."));
            // Asked again while only iopub is missing: each answer is published with its busy and idle.
            if (lastAsked == TimeSpan.MinValue || (answered && clock.Elapsed - lastAsked > TimeSpan.FromMilliseconds(50)))
            {
                Client.Send(Channel.Shell, "kernel_info_request", []);
                lastAsked = clock.Elapsed;
            }

            if (!Client.TryReceive(TimeSpan.FromMilliseconds(20), out var channel, out var message))
                continue;
            answered |= channel == Channel.Shell && message.Type == "kernel_info_reply";
            subscribed |= channel == Channel.Iopub;
        }
    }

    private void AddToLog(string? line)
    {
        lock (_log)
        {
            if (line is null && !_openStreams.IsSet)
                _openStreams.Signal();
            else if (line is not null && _log.Length < 1 << 16)
                _log.AppendLine(line);
        }
    }

    // What the process wrote may still be on its way when it has ended; a process that it left behind may hold the streams open for ever.
    private int AfterLastWords()
    {
        _openStreams.Wait(s_lastWords);
        return _process.ExitCode;
    }

    private static ConnectionFile FreeConnection()
    {
        // Ports are free now and bound by the kernel a moment later; listeners are held until all five are known.
        var listeners = Enumerable.Range(0, 5).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToList();
        listeners.ForEach(l => l.Stop());
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        return new ConnectionFile("127.0.0.1", "tcp", key, "hmac-sha256", ports[0], ports[1], ports[2], ports[3], ports[4]);
    }
}
