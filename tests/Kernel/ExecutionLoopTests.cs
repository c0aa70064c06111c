using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>The loop that runs cells, without sockets: what a client sends at the very moment of a reply.</summary>
[Trait("Category", "Kernel")]
public class ExecutionLoopTests
{
    [Fact]
    public void Execute_RequestSentInAnswerToAnError_RunsAndIsNotAborted()
    {
        List<string> replies = [];
        using var done = new ManualResetEventSlim();
        using var iopub = new IopubPublisher(_ => { }, "kernel", maxCharacters: 1000);
        ExecutionLoop? loop = null;
        loop = new ExecutionLoop(new KernelOptions { WarmUp = false }, iopub, request => new CellOutput(request, iopub, (_, _, _) => ""), Reply);
        loop.Add(Request("first", "throw new System.Exception(\"stop\");"));
        loop.Add(Request("queued before", "1"));
        loop.Start();

        Assert.True(done.Wait(TimeSpan.FromSeconds(60)), string.Join(", ", replies));
        loop.Stop();
        Assert.Equal(["first: error", "queued before: aborted", "sent after: ok"], replies);

        void Reply(Channel channel, JupyterMessage request, JsonObject content)
        {
            replies.Add($"{request.Id}: {content["status"]}");
            if (request.Id == "first")
                loop!.Add(Request("sent after", "2"));
            if (request.Id == "sent after")
                done.Set();
        }
    }

    private static JupyterMessage Request(string id, string code) =>
        JupyterMessage.Create("execute_request", new JsonObject { ["code"] = code }, parent: null, "client") with { Id = id };
}
