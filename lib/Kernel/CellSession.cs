using System.Runtime.CompilerServices;
using Dreambooth.Lab.Kernel.Display;
using Dreambooth.Lab.Kernel.Engine;
using Dreambooth.Lab.Kernel.Streams;
using Dreambooth.Lab.Kernel.Subkernels;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Kernel;

/// <summary>Everything that cells share: the engine, the kernels of all languages, and what runs now. One cell runs at a time.</summary>
internal sealed class CellSession
{
    private readonly Lock _lock = new();
    private readonly List<CellRun> _running = [];
    private readonly KernelExtensionLoader _extensions;
    private CellRequest _cell = new("", 0, "", new NoHost());
    private CellEvents? _events;
    private CancellationTokenSource? _cancel;
    private Exception? _failure;
    private string _text = "";
    private int _searchedTo;
    private bool _interrupted;

    /// <summary>Creates a session without cells.</summary>
    /// <param name="options">The host's options.</param>
    public CellSession(KernelOptions options)
    {
        Options = options;
        Engine = new CellEngine(options.Usings);
        foreach (var name in options.References)
            Engine.References.Add(name);
        _extensions = new KernelExtensionLoader(Engine.References, text => _cell.Host.Stream("stderr", text + "\n"))
        {
            Kernels = () => Kernels!,
        };
        Kernels = NotebookKernels.Create(this, _extensions);
    }

    public CellEngine Engine { get; }

    /// <summary>The kernels of all languages.</summary>
    public CompositeKernel Kernels { get; }

    /// <summary>Set when cells can run.</summary>
    public ManualResetEventSlim Prepared { get; } = new();

    /// <summary>Set after the first cell.</summary>
    public ManualResetEventSlim FirstCellDone { get; } = new();

    /// <summary>The host's options.</summary>
    public KernelOptions Options { get; }

    /// <summary>Clears interrupts of earlier cells before the next one is announced: a later interrupt is for that one.</summary>
    /// <param name="interrupted">Whether the next one is interrupted already.</param>
    public void Begin(bool interrupted)
    {
        lock (_lock)
            _interrupted = interrupted;
    }

    /// <summary>Declares what every cell can call. To be called once, before the first cell.</summary>
    public void Prepare()
    {
        // Not as a cell: an interrupt while the kernel starts must not leave it without these.
        using (var run = new CellRun(_cell.Host))
            Engine.Execute(CellDisplay.Functions, "display", "display", run);
        _extensions.LoadOfHostAsync(Options.References).GetAwaiter().GetResult();
    }

    /// <summary>Runs a cell to its end; does not throw for errors of the cell.</summary>
    public CellOutcome Execute(CellRequest cell)
    {
        CellConsole.Latest = cell.Host;
        (_cell, _failure, _text, _searchedTo) = (cell, null, CellText.WithStringsMasked(cell.Code), 0);
        using var cancel = new CancellationTokenSource();
        var command = new SubmitCode(_text);
        _events = new CellEvents(command, cell.Host);
        lock (_lock)
            _cancel = cancel;
        try
        {
            if (string.IsNullOrWhiteSpace(_text))
                return new CellOutcome(null, null);
            NotebookKernels.RequireSharedFrom(_text, Kernels);
            using (Kernels.KernelEvents.Subscribe(_events))
                Kernels.SendAsync(command, cancel.Token).GetAwaiter().GetResult();
            var error = _failure ?? _events.Error;
            return new CellOutcome(error is null ? _events.TakeResult() : null, error is null ? null : Describe(error));
        }
        catch (Exception e)
        {
            return new CellOutcome(null, Describe(e is OperationCanceledException ? new CellInterruptedException() : e));
        }
        finally
        {
            lock (_lock)
                _cancel = null;
            FirstCellDone.Set();
            CellConsole.Restore();
            if (Options.CaptureNativeOutput)
                NativeOutput.Drain();
        }
    }

    /// <summary>Runs C# that one of the kernels was sent: a cell, a part of it, or what a cell or an extension sends.</summary>
    public void Submit(SubmitCode command, KernelInvocationContext context)
    {
        // The context has taken the console; this kernel's own way of it is quicker, and also takes what threads and native code write.
        CellConsole.Restore();
        var isPartOfCell = true;
        lock (_lock)
            isPartOfCell = _running.Count == 0;
        try
        {
            // A part before this one failed.
            if (isPartOfCell && _failure is not null)
                return;
            if (isPartOfCell)
                _events?.ShowResult();
            var (directives, code) = CellText.Split(CellText.Unmasked(AtItsLine(command.Code)));
            foreach (var (name, argument) in directives)
                Follow(name, argument, context);
            if (code.Trim().Length > 0 && RunCode(code, _cell, null, context) is { } value)
                context.Publish(new ReturnValueProduced(value.Value, command, value.Formatted));
        }
        catch (Exception e)
        {
            if (isPartOfCell)
                _failure ??= e;
            context.Fail(command, e, Describe(e).Value);
        }
    }

    /// <summary>Stops the cell that runs, if one does; returns at once.</summary>
    public void Interrupt()
    {
        CancellationTokenSource? cancel = null;
        lock (_lock)
        {
            _interrupted = true;
            if (_running.Count == 0)
                cancel = _cancel;
            foreach (var run in _running)
                run.Interrupt();
        }

        // The kernels' own work, such as the restore of a package. Cancelling it may call back here.
        if (cancel is not null)
            ThreadPool.QueueUserWorkItem(_ => CancelQuietly(cancel));
    }

    /// <summary>Compiles and runs C#.</summary>
    /// <param name="code">C# without magics.</param>
    /// <param name="cell">The cell that it belongs to.</param>
    /// <param name="path">The name shown in stack traces; default: the cell's.</param>
    /// <param name="context">The context whose token an interrupt cancels, or null.</param>
    /// <returns>The value and its forms, or null when there is none to show.</returns>
    public CellValue? RunCode(string code, CellRequest cell, string? path = null, KernelInvocationContext? context = null)
    {
        var (hasValue, value) = Run(cell, context, run => Engine.Execute(code, path ?? $"In[{cell.Count}]", cell.Key + path, run));
        // A cell that ends in display(x) has shown it.
        if (!hasValue || value is DisplayedValue)
            return null;
        // Formatters may be the user's code, and lazy sequences run only now: both are part of the cell.
        object? Formatted() => new CellValue(value, MimeBundle.Format(value));
        return Run(cell, context, run => (CellValue)run.Run(() => Task.FromResult(Formatted()))!);
    }

    /// <summary>Declares or redeclares a variable.</summary>
    public void SetVariable(string name, object? value, Type? type)
    {
        RunCode($"{TypeName.Of(type ?? value?.GetType() ?? typeof(object))} {name} = default;", _cell, "value " + name);
        Engine.TrySet(name, value);
    }

    /// <summary>Asks the client for a line of text.</summary>
    public string ReadLine(string prompt, bool password) => (CellConsole.Current ?? _cell.Host).ReadLine(prompt, password);

    /// <summary>The names and messages shown for an error.</summary>
    /// <param name="error">What a cell threw.</param>
    /// <returns>The failure.</returns>
    public static CellFailure Describe(Exception error)
    {
        while (error is AggregateException { InnerExceptions.Count: 1 }
            or System.Reflection.TargetInvocationException { InnerException: not null })
            error = error.InnerException!;
        return error switch
        {
            CellInterruptedException => new(
                "KeyboardInterrupt", "The cell was interrupted.",
                ["KeyboardInterrupt: the cell was interrupted; variables keep their values."]),
            CompilationFailedException => new("CompilationError", error.Message.Split('\n')[0], error.Message.Split('\n')),
            KernelException => new("Error", error.Message, [error.Message]),
            _ => new(error.GetType().FullName!, Safe(() => error.Message), CellTraceback.Format(error)),
        };
    }

    private T Run<T>(CellRequest cell, KernelInvocationContext? context, Func<CellRun, T> work)
    {
        using var run = new CellRun(cell.Host);
        using var cancelled = context is null ? default : run.Token.Register(() => CancelQuietly(SourceOf(context)));
        lock (_lock)
        {
            if (_interrupted)
                throw new CellInterruptedException();
            _running.Add(run);
        }

        try
        {
            return work(run);
        }
        finally
        {
            lock (_lock)
                _running.Remove(run);
        }
    }

    private void Follow(string directive, string argument, KernelInvocationContext context)
    {
        if (directive == "#i")
            throw new KernelException("#i takes \"nuget: SOURCE\".");
        if (directive == "#r")
            _extensions.AddAsync(Path.GetFullPath(argument)).GetAwaiter().GetResult();
        else if (!File.Exists(argument))
            throw new KernelException($"#load: there is no file '{Path.GetFullPath(argument)}'.");
        else
            RunCode(File.ReadAllText(argument), _cell, Path.GetFileName(argument), context);
    }

    // A part of a cell keeps the cell's line numbers.
    private string AtItsLine(string code)
    {
        var place = _text.IndexOf(code, Math.Min(_searchedTo, _text.Length), StringComparison.Ordinal);
        if (place < 0)
            return code;
        _searchedTo = place + code.Length;
        return new string('\n', _text.AsSpan(0, place).Count('\n')) + code;
    }

    // The context's own way to cancel ends it at once, and with it what the cell still has to say.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_cancellationTokenSource")]
    private static extern ref CancellationTokenSource SourceOf(KernelInvocationContext context);

    private static void CancelQuietly(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (Exception e) when (e is ObjectDisposedException or AggregateException)
        {
            // The cell has ended, or a callback that it registered failed.
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

    // Before the first cell there is no client to show anything to.
    private sealed class NoHost : ICellHost
    {
        public void Stream(string name, string text)
        {
        }

        public void Display(System.Text.Json.Nodes.JsonObject data, string? displayId, bool update)
        {
        }

        public void Clear(bool wait)
        {
        }

        public string ReadLine(string prompt, bool password) => throw new KernelException("Input can be asked for in a cell only.");
    }
}
