using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Display;
using Dreambooth.Lab.Kernel.Engine;
using Dreambooth.Lab.Kernel.Magics;
using Dreambooth.Lab.Kernel.Streams;

namespace Dreambooth.Lab.Kernel;

/// <summary>Everything that cells share: the engine, the values of magics, and what runs now. One cell runs at a time.</summary>
/// <param name="options">What the host wishes.</param>
internal sealed class CellSession(KernelOptions options)
{
    private readonly Lock _lock = new();
    private MagicCommands? _magics;
    private CellRun? _running;
    private bool _interrupted;

    /// <summary>The engine.</summary>
    public CellEngine Engine { get; } = CreateEngine(options);

    /// <summary>Set after the first cell.</summary>
    public ManualResetEventSlim FirstCellDone { get; } = new();

    /// <summary>What the host wishes.</summary>
    public KernelOptions Options => options;

    private static CellEngine CreateEngine(KernelOptions options)
    {
        var engine = new CellEngine(options.Usings);
        foreach (var name in options.References)
            engine.References.Add(name);
        return engine;
    }

    /// <summary>Forgets interrupts of earlier cells, before anybody hears that the next one runs: an interrupt from then on is for that one.</summary>
    /// <param name="interrupted">Whether the next one is interrupted already.</param>
    public void Begin(bool interrupted)
    {
        lock (_lock)
            _interrupted = interrupted;
    }

    /// <summary>Runs a cell to its end; does not throw for anything that the cell does.</summary>
    public CellOutcome Execute(CellRequest cell)
    {
        CellConsole.Latest = cell.Host;
        _magics ??= new MagicCommands(this);
        try
        {
            JsonObject? result = null;
            foreach (var part in CellParts.Split(cell.Code))
            {
                if (result is not null)
                    cell.Host.Display(result, null, update: false);
                result = part.Magic is null ? RunCode(part.Text, cell) : Guarded(() => _magics.Run(part, cell));
            }

            _magics.FinishCell(cell);
            return new CellOutcome(result, null);
        }
        catch (Exception e)
        {
            return new CellOutcome(null, Describe(e));
        }
        finally
        {
            FirstCellDone.Set();
            CellConsole.Restore();
            if (options.CaptureNativeOutput)
                NativeOutput.Drain();
        }
    }

    /// <summary>Stops the cell that runs, if one does; returns at once.</summary>
    public void Interrupt()
    {
        lock (_lock)
        {
            _interrupted = true;
            _running?.Interrupt();
        }
    }

    /// <summary>Compiles and runs C#.</summary>
    /// <param name="code">C# without magics.</param>
    /// <param name="cell">The cell that it belongs to.</param>
    /// <param name="path">The name shown in stack traces; default: the cell's.</param>
    /// <returns>The bundle of the value, or null when there is none.</returns>
    public JsonObject? RunCode(string code, CellRequest cell, string? path = null)
    {
        using var run = new CellRun(cell.Host);
        lock (_lock)
        {
            if (_interrupted)
                throw new CellInterruptedException();
            _running = run;
        }

        try
        {
            var (hasValue, value) = Engine.Execute(code, path ?? $"In[{cell.Count}]", cell.Key + path, run);
            // Formatters may be the user's code, and lazy sequences run only now: both are part of the cell.
            return hasValue ? Guarded(() => MimeBundle.Of(value)) : null;
        }
        finally
        {
            lock (_lock)
                _running = null;
        }
    }

    /// <summary>The names and messages shown for an error.</summary>
    /// <param name="error">What a cell threw.</param>
    /// <returns>The failure.</returns>
    public static CellFailure Describe(Exception error)
    {
        while (error is AggregateException { InnerExceptions.Count: 1 } or System.Reflection.TargetInvocationException { InnerException: not null })
            error = error.InnerException!;
        return error switch
        {
            CellInterruptedException => new(
                "KeyboardInterrupt", "The cell was interrupted.", ["KeyboardInterrupt: the cell was interrupted; variables keep their values."]),
            CompilationFailedException => new("CompilationError", error.Message.Split('\n')[0], error.Message.Split('\n')),
            KernelException => new("Error", error.Message, [error.Message]),
            _ => new(error.GetType().FullName!, Safe(() => error.Message), CellTraceback.Format(error)),
        };
    }

    // Runs the kernel's own work for a cell as if the cell did it, so that it can be interrupted and its output has a place.
    private JsonObject? Guarded(Func<JsonObject?> work)
    {
        using var run = new CellRun(CellConsole.Latest);
        lock (_lock)
        {
            if (_interrupted)
                throw new CellInterruptedException();
            _running = run;
        }

        try
        {
            return (JsonObject?)run.Run(() => Task.FromResult<object?>(work()));
        }
        finally
        {
            lock (_lock)
                _running = null;
        }
    }

    private static string Safe(Func<string> text)
    {
        try
        {
            return text();
        }
        catch (Exception e)
        {
            return $"(the message failed: {e.GetType().Name})";
        }
    }
}
