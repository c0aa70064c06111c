using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>A kernel process of this build, and what a test needs to talk to it.</summary>
internal sealed class KernelUnderTest : IDisposable
{
    public static readonly KernelLaunch Launch =
        new(["dotnet", LabProgram.Assembly, "kernel", "start", "--connection-file", KernelLaunch.ConnectionFilePlaceholder]);

    public static string Fixtures => Path.Combine(Golden.GoldenSet.RepositoryRoot, "tests", "fixtures", "notebooks");

    private readonly List<(Channel Channel, JupyterMessage Message)> _others = [];

    public KernelProcess Process { get; } = KernelProcess.Start(Launch, Path.GetTempPath(), TimeSpan.FromSeconds(60));

    public KernelClient Client => Process.Client;

    public void Dispose() => Process.Dispose();

    /// <summary>Runs a cell and returns its reply and everything published for it, in order.</summary>
    public (JupyterMessage Reply, List<JupyterMessage> Published) Run(string code, string? cellId = null) =>
        Collect(Client.Execute(code, cellId));

    /// <summary>Sends a request and returns its reply.</summary>
    public JsonObject Ask(Channel channel, string type, JsonObject content) => Collect(Client.Send(channel, type, content)).Reply.Content;

    /// <summary>
    /// Waits until the cell of a request has printed a text; what it published so far is left out of what <see cref="Collect"/> gives.
    /// </summary>
    public void WaitForText(string id, string text)
    {
        var shown = "";
        while (!shown.Contains(text, StringComparison.Ordinal))
        {
            var (channel, message) = Next(id);
            Assert.True(channel == Channel.Iopub, $"the cell ended before it printed '{text}': {message.Content.ToJsonString()}");
            shown += message.Type == "stream" ? message.Text("text") : "";
        }
    }

    // Messages of other requests wait until somebody asks for them.
    private (Channel Channel, JupyterMessage Message) Next(string id)
    {
        var index = _others.FindIndex(o => o.Message.ParentId == id);
        if (index >= 0)
        {
            var found = _others[index];
            _others.RemoveAt(index);
            return found;
        }

        while (Client.TryReceive(TimeSpan.FromSeconds(60), out var channel, out var message))
        {
            if (message.ParentId == id)
                return (channel, message);
            _others.Add((channel, message));
        }

        throw new TimeoutException($"no answer; the kernel {(Process.HasExited ? Process.ExitText : "still runs")}\n{Process.Log}");
    }

    /// <summary>Waits for the reply and the idle status that belong to a request.</summary>
    public (JupyterMessage Reply, List<JupyterMessage> Published) Collect(string id, Action<JupyterMessage>? onInput = null)
    {
        var published = new List<JupyterMessage>();
        JupyterMessage? reply = null;
        var idle = false;
        while (!idle || reply is null)
        {
            var (channel, message) = Next(id);
            if (channel == Channel.Iopub)
                published.Add(message);
            else if (channel == Channel.Stdin)
                onInput!(message);
            else
                reply = message;
            idle |= message.Type == "status" && message.Text("execution_state") == "idle";
        }

        return (reply, published);
    }
}
