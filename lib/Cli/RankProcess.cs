using System.Diagnostics;
using System.Globalization;

namespace Dreambooth.Lab.Cli;

/// <summary>One process of <see cref="RankProcesses"/>.</summary>
internal sealed class RankProcess : IDisposable
{
    /// <summary>What is added to the number of a signal that ended a process.</summary>
    public const int FirstSignal = 128;

    private const int LinesKept = 20;

    private readonly Process _process;
    private readonly Queue<string> _lines = [];

    private RankProcess(Process process) => _process = process;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Its exit code, 128 + a signal's number where one ended it.</summary>
    public int Code => _process.ExitCode;

    /// <summary>Whether a signal ended it, so that it said nothing itself.</summary>
    public bool WasSignalled => Code > FirstSignal;

    /// <summary>When it ended.</summary>
    public DateTime Ended => _process.ExitTime;

    /// <summary>Starts it.</summary>
    /// <param name="command">Program and arguments.</param>
    /// <param name="variables">Environment variables beside this process's own.</param>
    /// <param name="shown">Whether it writes to this process's console; else its last errors are kept.</param>
    /// <param name="told">Given each line of its errors instead; null: none.</param>
    public static RankProcess Start(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> variables, bool shown, Action<string>? told = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = !shown,
            RedirectStandardError = !shown || told is not null,
        };
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        var rank = new RankProcess(Process.Start(start)!);
        if (!shown)
        {
            rank._process.OutputDataReceived += (_, _) => { };
            rank._process.BeginOutputReadLine();
        }

        if (start.RedirectStandardError)
        {
            rank._process.ErrorDataReceived += (_, line) => (told is null ? rank.Keep : Told(told))(line.Data);
            rank._process.BeginErrorReadLine();
        }

        return rank;
    }

    /// <summary>Asks it to end after the step at hand, as a signal does.</summary>
    public void Cancel()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended.
        }
    }

    /// <summary>Waits until all that it wrote has been told.</summary>
    public void WaitForLines() => _process.WaitForExit();

    /// <summary>Why it failed, after "rank 1 of 2".</summary>
    public string Reason()
    {
        _process.WaitForExit(); // and for what it wrote
        string[] lines;
        lock (_lines)
            lines = [.. _lines.Select(line => line.StartsWith("error: ", StringComparison.Ordinal) ? line["error: ".Length..] : line)];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(WasSignalled ? $"was ended by signal {Code - FirstSignal}" : $"ended with exit code {Code}")}"
            + $"{(lines.Length == 0 ? "." : $": {string.Join('\n', lines)}")}");
    }

    /// <summary>Ends it where it has not.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static Action<string?> Told(Action<string> told) => line =>
    {
        if (line is not null)
            told(line);
    };

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
            return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > LinesKept)
                _lines.Dequeue();
        }
    }
}
