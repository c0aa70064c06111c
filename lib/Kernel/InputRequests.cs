using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Engine;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel;

/// <summary>Input that cells ask of clients; one question at a time.</summary>
/// <param name="send">Queues a message for stdin.</param>
/// <param name="flush">Sends gathered output first, so that the question stands below it.</param>
/// <param name="session">The kernel's session id.</param>
internal sealed class InputRequests(Action<JupyterMessage> send, Action flush, string session)
{
    private readonly object _oneAtATime = new();
    private volatile TaskCompletionSource<string>? _answer;

    /// <summary>Asks, and blocks until the client answers or the cell is interrupted.</summary>
    /// <exception cref="CellInterruptedException">The cell was interrupted.</exception>
    public string Ask(JupyterMessage request, string prompt, bool password)
    {
        var token = CellInterrupt.Current?.Token ?? CancellationToken.None;
        lock (_oneAtATime)
        {
            flush();
            var answer = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _answer = answer;
            var content = new JsonObject { ["prompt"] = prompt, ["password"] = password };
            send(JupyterMessage.Create("input_request", content, request, session));
            answer.Task.Wait(token);
            _answer = null;
            return answer.Task.Result;
        }
    }

    /// <summary>Receives a client's input; unexpected input is dropped.</summary>
    public void Answer(JupyterMessage reply) => _answer?.TrySetResult(reply.Text("value"));
}
