using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel;

/// <summary>Answers completion, inspection and completeness requests on a thread of its own, also while a cell runs.</summary>
/// <param name="session">The session that the questions are about.</param>
/// <param name="iopub">Publishes busy and idle.</param>
/// <param name="reply">Sends a reply.</param>
internal sealed class LanguageLoop(CellSession session, IopubPublisher iopub, Action<Channel, JupyterMessage, JsonObject> reply)
    : IDisposable
{
    private const int RestTicks = 20;
    private const int TickMilliseconds = 100;
    private readonly BlockingCollection<JupyterMessage> _requests = [];
    private Thread? _thread;
    private readonly Language.LanguageService _service = new(session.Engine, () => Subkernels.NotebookKernels.Magics(session.Kernels));

    /// <summary>Queues a request; returns at once.</summary>
    public void Add(JupyterMessage request) => _requests.Add(request);

    /// <summary>Starts the thread.</summary>
    public void Start()
    {
        _thread = new Thread(Loop) { IsBackground = true, Name = "language" };
        _thread.Start();
    }

    /// <summary>Ends the thread.</summary>
    public void Stop() => _requests.CompleteAdding();

    /// <inheritdoc/>
    public void Dispose()
    {
        // The thread may be in a question that takes long; the process ends soon and takes it along.
        if (_thread?.Join(TimeSpan.FromMilliseconds(100)) != false)
            _requests.Dispose();
        _service.Dispose();
    }

    private void Loop()
    {
        if (session.Options.WarmUpCompletion)
            WarmUp();
        foreach (var request in _requests.GetConsumingEnumerable())
        {
            iopub.Status(request, "busy");
            try
            {
                reply(Channel.Shell, request, Answer(request));
            }
            catch (Exception e)
            {
                var error = CellSession.Describe(e);
                var content = new JsonObject { ["status"] = "error", ["ename"] = error.Name, ["evalue"] = error.Value };
                content["traceback"] = new JsonArray();
                reply(Channel.Shell, request, content);
            }

            iopub.Status(request, "idle");
        }
    }

    private void WarmUp()
    {
        try
        {
            // The first cell comes first: this takes a second of processor time that it needs more. Who types before it has it ready, too.
            session.Prepared.Wait();
            for (var i = 0; i < RestTicks && !session.FirstCellDone.Wait(TickMilliseconds); i++)
            {
                if (_requests.Count > 0 || _requests.IsAddingCompleted)
                    break;
            }

            _service.WarmUp();
        }
        catch (Exception)
        {
            // The first question then takes longer and reports what is wrong.
        }
    }

    private JsonObject Answer(JupyterMessage request)
    {
        var code = request.Text("code");
        // Positions count characters, not UTF-16 units, since protocol 5.2.
        var cursor = TextPosition.ToUtf16(code, request.Number("cursor_pos", code.Length));
        return request.Type switch
        {
            "complete_request" => _service.Complete(code, cursor),
            "inspect_request" => _service.Inspect(code, cursor),
            _ => Language.LanguageService.IsComplete(code),
        };
    }
}
