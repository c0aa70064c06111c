using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Display;
using Dreambooth.Lab.Kernel.Engine;
using Dreambooth.Lab.Kernel.Protocol;
using Dreambooth.Lab.Kernel.Streams;

namespace Dreambooth.Lab.Kernel;

/// <summary>Runs execute requests one after the other on a thread of its own and answers them.</summary>
internal sealed class ExecutionLoop
{
    private readonly KernelOptions _options;
    private readonly IopubPublisher _iopub;
    private readonly Func<JupyterMessage, ICellHost> _hostOf;
    private readonly Action<Channel, JupyterMessage, JsonObject> _reply;
    private readonly ExecutionQueue _queue;
    private int _count;

    public ExecutionLoop(
        KernelOptions options, IopubPublisher iopub, Func<JupyterMessage, ICellHost> hostOf,
        Action<Channel, JupyterMessage, JsonObject> reply)
    {
        (_options, _iopub, _hostOf, _reply, Session) = (options, iopub, hostOf, reply, new CellSession(options));
        _queue = new ExecutionQueue(Session.Begin);
    }

    /// <summary>The session that the cells share.</summary>
    public CellSession Session { get; }

    /// <summary>The cells that ran.</summary>
    public CellHistory History { get; } = new();

    /// <summary>Queues a request; returns at once.</summary>
    public void Add(JupyterMessage request) => _queue.Add(request);

    /// <summary>Starts the thread.</summary>
    public void Start() => new Thread(Loop) { IsBackground = true, Name = "cells" }.Start();

    /// <summary>Ends the thread after the cell that runs.</summary>
    public void Stop() => _queue.Close();

    /// <summary>Stops the cell that runs or is about to; returns at once.</summary>
    public void Interrupt() => _queue.Interrupt(Session.Interrupt);

    private void Loop()
    {
        Prepare();
        while (_queue.Take() is { } request)
        {
            try
            {
                Execute(request);
            }
            catch (Exception e)
            {
                // Nothing that a cell does gets here; whatever does must not end the kernel.
                var failure = CellSession.Describe(e);
                _reply(Channel.Shell, request, ErrorContent(failure));
                _iopub.Status(request, "idle");
            }
        }
    }

    private void Prepare()
    {
        try
        {
            if (_options.WarmUp)
                WarmUp.Run();
            Session.Prepare();
            _options.Configure?.Invoke();
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"kernel: the host's configuration failed: {e}");
        }
        finally
        {
            Session.Prepared.Set();
        }
    }

    private void Execute(JupyterMessage request)
    {
        _iopub.Status(request, "busy");
        var silent = request.Flag("silent", false);
        var code = request.Text("code");
        var store = !silent && request.Flag("store_history", true);
        if (store)
            History.Add(++_count, code);
        if (!silent)
            _iopub.Publish(request, "execute_input", new JsonObject { ["code"] = code, ["execution_count"] = _count });

        var key = request.Metadata["cellId"]?.ToString() ?? code.Trim();
        var cell = new CellRequest(code, _count, key, _hostOf(request));
        var outcome = Session.Execute(cell);
        IReadOnlyList<JupyterMessage> abandoned = [];
        if (outcome.Error is { } error)
        {
            // Taken before the client hears of the error: what it sends after that is a new wish and runs.
            if (request.Flag("stop_on_error", true))
                abandoned = _queue.TakeAll();
            if (!silent)
                _iopub.Publish(request, "error", ErrorFields(error));
            _reply(Channel.Shell, request, ErrorContent(error));
        }
        else
        {
            if (outcome.Result is not null && !silent)
                _iopub.Publish(request, "execute_result", ResultContent(outcome.Result));
            _reply(Channel.Shell, request, OkContent(request, cell));
        }

        _iopub.Status(request, "idle");
        Abort(abandoned);
        Session.Engine.ShortenChainWhenLong();
    }

    private void Abort(IReadOnlyList<JupyterMessage> requests)
    {
        foreach (var request in requests)
        {
            _iopub.Status(request, "busy");
            _reply(Channel.Shell, request, new JsonObject { ["status"] = "aborted", ["execution_count"] = _count });
            _iopub.Status(request, "idle");
        }
    }

    private JsonObject ResultContent(JsonObject bundle) => new()
    {
        ["execution_count"] = _count,
        ["data"] = bundle,
        ["metadata"] = new JsonObject(),
    };

    private JsonObject OkContent(JupyterMessage request, CellRequest cell)
    {
        var values = new JsonObject();
        if (request.Content["user_expressions"] is JsonObject expressions)
        {
            foreach (var (name, expression) in expressions)
                values[name] = Evaluate(expression?.ToString() ?? "", cell);
        }

        return new JsonObject
        {
            ["status"] = "ok",
            ["execution_count"] = _count,
            ["payload"] = new JsonArray(),
            ["user_expressions"] = values,
        };
    }

    private JsonObject Evaluate(string expression, CellRequest cell)
    {
        try
        {
            var value = Session.RunCode(expression, cell, "expression");
            var bundle = value is null ? MimeBundle.Of(null) : MimeBundle.Of(value.Value, value.Formatted);
            return new JsonObject { ["status"] = "ok", ["data"] = bundle, ["metadata"] = new JsonObject() };
        }
        catch (Exception e)
        {
            var fields = ErrorFields(CellSession.Describe(e));
            fields["status"] = "error";
            return fields;
        }
    }

    private JsonObject ErrorContent(CellFailure error)
    {
        var content = ErrorFields(error);
        content["status"] = "error";
        content["execution_count"] = _count;
        content["payload"] = new JsonArray();
        content["user_expressions"] = new JsonObject();
        return content;
    }

    private static JsonObject ErrorFields(CellFailure error) => new()
    {
        ["ename"] = error.Name,
        ["evalue"] = error.Value,
        ["traceback"] = new JsonArray([.. error.Traceback.Select(l => JsonValue.Create(l))]),
    };
}
