using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;
using Dreambooth.Lab.Kernel.Streams;

namespace Dreambooth.Lab.Kernel;

/// <summary>
/// A C# kernel that serves Jupyter clients over the addresses of a connection file until it is told to shut down.
/// One thread moves messages and never waits for a cell; one thread runs cells; one answers completion and inspection.
/// </summary>
public sealed class JupyterKernel : IDisposable
{
    private const int MostComplaints = 20;

    private readonly KernelOptions _options;
    private readonly TextWriter _log;
    private readonly MessageCodec _codec;
    private readonly KernelSockets _sockets;
    private readonly string _session = Guid.NewGuid().ToString("N");
    private readonly IopubPublisher _iopub;
    private readonly InputRequests _input;
    private readonly ManualResetEventSlim _stopped = new();
    private readonly ExecutionLoop _execution;
    private readonly LanguageLoop _language;

    private JupyterKernel(ConnectionFile connection, KernelOptions options, TextWriter log)
    {
        (_options, _log) = (options, log);
        _codec = new MessageCodec(connection.Key);
        _sockets = new KernelSockets(connection) { Received = Receive };
        _iopub = new IopubPublisher(m => Send(Channel.Iopub, m), _session, options.MaxStreamCharacters);
        _input = new InputRequests(m => Send(Channel.Stdin, m), _iopub.Flush, _session);
        _execution = new ExecutionLoop(options, _iopub, r => new CellOutput(r, _iopub, _input.Ask), Reply);
        _language = new LanguageLoop(_execution.Session, _iopub, Reply);
    }

    /// <summary>Runs a kernel in this process, whose console it takes over, until a client shuts it down.</summary>
    /// <param name="connection">The addresses to serve.</param>
    /// <param name="options">The host's options.</param>
    /// <exception cref="KernelException">An address cannot be bound.</exception>
    public static void Run(ConnectionFile connection, KernelOptions options)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(options);
        var log = options.CaptureNativeOutput ? NativeOutput.Capture() : Console.Error;
        CellConsole.Install(log);
        KernelSockets.KeepOffTheThreadPool();
        if (connection.Key.Length == 0)
        {
            log.WriteLine("kernel: warning: the connection file's key is empty: "
                + "messages are not signed, and any program of this machine can run code here.");
        }

        using var kernel = new JupyterKernel(connection, options, log);
        // A thread that a cell started may throw an uncaught exception: that is reported and ends the thread, not the kernel.
        ExceptionHandling.SetUnhandledExceptionHandler(kernel.ReportAndGoOn);
        TaskScheduler.UnobservedTaskException += (_, e) => ReportUnobserved(e);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, kernel.OnInterrupt);
        using var end = PosixSignalRegistration.Create(PosixSignal.SIGTERM, kernel.OnEnd);
        kernel.Serve();
        var codec = kernel._codec;
        if (codec.BadSignatures + codec.Replays + codec.Malformed == 0)
            return;
        log.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"kernel: stopped; refused messages: {codec.BadSignatures} badly signed, {codec.Replays} replayed, "
            + $"{codec.Malformed} malformed"));
    }

    /// <summary>Sends what is queued and closes the sockets.</summary>
    public void Dispose()
    {
        _language.Dispose();
        _iopub.Dispose();
        _sockets.Dispose();
        _stopped.Dispose();
    }

    private void Serve()
    {
        _sockets.Start();
        _iopub.Status(null, "starting");
        _execution.Start();
        _language.Start();
        ParentWatch.Start(() =>
        {
            _execution.Interrupt();
            _stopped.Set();
        });
        _stopped.Wait();
        _execution.Stop();
        _language.Stop();
    }

    private void Receive(Channel channel, IReadOnlyList<byte[]> frames)
    {
        JupyterMessage? message = null;
        try
        {
            var malformed = _codec.Malformed;
            message = _codec.Decode(frames);
            if (message is not null)
                Dispatch(channel, message);
            else if (_codec.Malformed > malformed && malformed < MostComplaints)
                _log.WriteLine($"kernel: refused a message on {channel}: {_codec.LastProblem}");
        }
        catch (Exception e)
        {
            // A message that cannot be served must not end the IO thread.
            _log.WriteLine($"kernel: {message?.Type ?? "a message"} failed: {e.Message}");
        }
    }

    private void Dispatch(Channel channel, JupyterMessage message)
    {
        switch (message.Type)
        {
            case "execute_request":
                _execution.Add(message);
                return;
            case "complete_request" or "inspect_request" or "is_complete_request":
                _language.Add(message);
                return;
            case "input_reply":
                _input.Answer(message);
                return;
            case "comm_msg" or "comm_close":
                return;
        }

        _iopub.Status(message, "busy");
        switch (message.Type)
        {
            case "kernel_info_request":
                Reply(channel, message, KernelInfo.Reply(_options));
                break;
            case "history_request":
                Reply(channel, message, _execution.History.Reply(message));
                break;
            case "comm_info_request":
                Reply(channel, message, new JsonObject { ["status"] = "ok", ["comms"] = new JsonObject() });
                break;
            case "comm_open":
                // No comm target is known: the client is told that its comm is closed, as the protocol asks.
                _iopub.Publish(
                    message, "comm_close", new JsonObject { ["comm_id"] = message.Text("comm_id"), ["data"] = new JsonObject() });
                break;
            case "interrupt_request":
                _execution.Interrupt();
                Reply(channel, message, new JsonObject { ["status"] = "ok" });
                break;
            case "shutdown_request":
                ShutDown(channel, message);
                break;
        }

        _iopub.Status(message, "idle");
    }

    private void ShutDown(Channel channel, JupyterMessage message)
    {
        var content = new JsonObject { ["status"] = "ok", ["restart"] = message.Flag("restart", false) };
        Reply(channel, message, content.DeepClone().AsObject());
        _iopub.Publish(message, "shutdown_reply", content);
        _execution.Interrupt();
        _stopped.Set();
    }

    private void Reply(Channel channel, JupyterMessage request, JsonObject content)
    {
        var type = request.Type.Replace("_request", "_reply", StringComparison.Ordinal);
        Send(channel, JupyterMessage.Create(type, content, request, _session));
    }

    private void Send(Channel channel, JupyterMessage message) => _sockets.Send(channel, _codec.Encode(message));

    private void OnInterrupt(PosixSignalContext context)
    {
        context.Cancel = true;
        _execution.Interrupt();
    }

    // As when a client shuts the kernel down; the second signal kills it.
    private void OnEnd(PosixSignalContext context)
    {
        context.Cancel = !_stopped.IsSet;
        _execution.Interrupt();
        _stopped.Set();
    }

    private bool ReportAndGoOn(Exception error)
    {
        // An interrupt that reaches a thread of the cell is expected and not news.
        if (error is not Engine.CellInterruptedException)
        {
            var text = string.Join('\n', Engine.CellTraceback.Format(error));
            CellConsole.Current?.Stream("stderr", $"A thread of this cell ended with an exception:\n{text}\n");
        }

        return true;
    }

    private static void ReportUnobserved(UnobservedTaskExceptionEventArgs e)
    {
        e.SetObserved();
        if (e.Exception.InnerException is not OperationCanceledException)
            CellConsole.Latest?.Stream("stderr", "A task that nobody awaited failed: " + e.Exception.InnerException?.Message + "\n");
    }
}
