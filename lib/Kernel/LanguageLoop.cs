using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel;

/// <summary>Answers completion, inspection and completeness requests on a thread of its own, also while a cell runs.</summary>
/// <param name="session">The session that the questions are about.</param>
/// <param name="iopub">Publishes busy and idle.</param>
/// <param name="reply">Sends a reply.</param>
internal sealed class LanguageLoop(CellSession session, IopubPublisher iopub, Action<Channel, JupyterMessage, JsonObject> reply)
{
    private readonly BlockingCollection<JupyterMessage> _requests = [];
    private readonly Language.LanguageService _service = new(session.Engine);

    /// <summary>Queues a request; returns at once.</summary>
    public void Add(JupyterMessage request) => _requests.Add(request);

    /// <summary>Starts the thread.</summary>
    public void Start() => new Thread(Loop) { IsBackground = true, Name = "language" }.Start();

    /// <summary>Ends the thread.</summary>
    public void Stop() => _requests.CompleteAdding();

    private void Loop()
    {
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
                reply(Channel.Shell, request, new JsonObject { ["status"] = "error", ["ename"] = error.Name, ["evalue"] = error.Value, ["traceback"] = new JsonArray() });
            }

            iopub.Status(request, "idle");
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
            "inspect_request" => _service.Inspect(code, cursor, request.Number("detail_level", 0)),
            _ => _service.IsComplete(code),
        };
    }
}
