using System.Diagnostics;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>
/// Runs notebooks without a Jupyter client. Each gets a kernel in a process of its own, so that a crash of native code is a
/// failure of one cell and not of the runner.
/// </summary>
/// <param name="launch">Starts a kernel.</param>
/// <param name="options">How to run.</param>
public sealed class NotebookRunner(KernelLaunch launch, RunOptions options)
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs a notebook from its first cell to its last, or to the first that fails.</summary>
    /// <param name="path">The notebook; its folder is the kernel's working folder.</param>
    /// <param name="progress">Called at the begin and end of every cell and for its stream output.</param>
    /// <param name="save">
    /// Called after every cell but the last with the notebook so far: what ran is not lost when the run is ended. Or null.
    /// </param>
    /// <param name="cancel">Ends the run; the kernel is ended too.</param>
    /// <returns>The notebook with its outputs, and the failures.</returns>
    /// <exception cref="KernelException">The file is no C# notebook, the parameters do not fit, or the kernel does not start.</exception>
    public RunResult Run(
        string path, Action<RunProgress> progress, Action<NotebookDocument>? save = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(progress);
        var notebook = NotebookDocument.Load(path);
        if (notebook.Language is not ("" or "c#" or "csharp" or "polyglot-notebook"))
            throw new KernelException($"The notebook '{path}' is in '{notebook.Language}'; this kernel runs C#.");
        var cells = RunPlan.Of(notebook, options.Parameters);
        using var kernel = KernelProcess.Start(launch, Path.GetDirectoryName(Path.GetFullPath(path))!, options.StartTimeout);
        var collector = new OutputCollector();
        var counts = new Dictionary<int, int?>();
        var failures = new List<RunFailure>();
        foreach (var cell in cells.Where(c => c.Injected is null))
            notebook.SetNotExecuted(cell.Index);
        for (var i = 0; i < cells.Count; i++)
        {
            progress(new RunProgress(i + 1, cells.Count, cells[i].Source, "", null, false));
            var clock = Stopwatch.StartNew();
            collector.Begin(i);
            var error = RunCell(kernel, cells[i], i, cells.Count, collector, progress, out var count, cancel);
            counts[i] = count;
            cells[i].Write(notebook, collector.Outputs[i], count);
            if (i + 1 < cells.Count)
                save?.Invoke(notebook);
            progress(new RunProgress(i + 1, cells.Count, cells[i].Source, "", clock.Elapsed, error is not null));
            if (error is null || (cells[i].MayFail && !kernel.HasExited))
                continue;
            failures.Add(new RunFailure(i + 1, cells[i].Source, error));
            if (!options.AllowErrors || kernel.HasExited)
                break;
        }

        // Cells that did not run lose the outputs of an earlier run.
        for (var i = counts.Count; i < cells.Count; i++)
            cells[i].Write(notebook, [], null);
        notebook.NameKernel();
        return new RunResult(notebook, counts.Count, failures);
    }

    private string? RunCell(
        KernelProcess kernel, PlannedCell cell, int index, int cellCount, OutputCollector collector, Action<RunProgress> progress,
        out int? count,
        CancellationToken cancel)
    {
        var id = kernel.Client.Execute(cell.Code, cell.Id);
        var clock = Stopwatch.StartNew();
        var (idle, timedOut) = (false, false);
        JupyterMessage? reply = null;
        count = null;
        while (!idle || reply is null)
        {
            if (cancel.IsCancellationRequested)
            {
                kernel.Kill();
                cancel.ThrowIfCancellationRequested();
            }

            if (!kernel.Client.TryReceive(s_tick, out var channel, out var message))
            {
                if (kernel.HasExited)
                    return $"The kernel's process ended while this cell ran ({kernel.ExitText}).\n{kernel.Log}".TrimEnd();
                if (!IsTooLate(clock.Elapsed, ref timedOut, kernel))
                    continue;
                return TimeoutText();
            }

            if (message.ParentId != id)
                continue;
            if (channel == Channel.Shell)
                reply = message;
            else if (message.Type == "status")
                idle = message.Text("execution_state") == "idle";
            else
                collector.Add(index, message);
            if (message.Type == "stream")
                progress(new RunProgress(index + 1, cellCount, cell.Source, message.Text("text"), null, false));
        }

        collector.AddText(index, "stderr", kernel.TakeLog());
        count = reply.Number("execution_count", 0);
        return timedOut ? TimeoutText() : ErrorOf(reply);
    }

    private string TimeoutText() =>
        FormattableString.Invariant(
            $"The cell ran longer than {options.CellTimeout!.Value.TotalSeconds:0.###} s and was ended (--timeout).");

    // First the cell is interrupted; when it does not end within two seconds more, the kernel is.
    private bool IsTooLate(TimeSpan elapsed, ref bool interrupted, KernelProcess kernel)
    {
        if (options.CellTimeout is not { } limit || elapsed < limit)
            return false;
        if (!interrupted)
        {
            interrupted = true;
            kernel.Client.Send(Channel.Control, "interrupt_request", []);
        }

        if (elapsed < limit + TimeSpan.FromSeconds(2))
            return false;
        kernel.Kill();
        return true;
    }

    private static string? ErrorOf(JupyterMessage reply) => reply.Text("status") switch
    {
        "ok" => null,
        "error" => string.Join('\n', (reply.Content["traceback"] as JsonArray ?? []).Select(l => l?.ToString())),
        var status => $"The kernel answered with the status '{status}'.",
    };
}
