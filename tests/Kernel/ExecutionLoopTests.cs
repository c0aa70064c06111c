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
        loop = new ExecutionLoop(
            new KernelOptions { WarmUp = false }, iopub, request => new CellOutput(request, iopub, (_, _, _) => ""), Reply);
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

    [Fact]
    public void Interrupt_OfACellThatWaitsForTheLoopToStart_EndsItAndNotTheNext()
    {
        Assert.Equal(["endless: error", "next: ok"], RepliesOf(interruptAt: null));
    }

    [Fact]
    public void Interrupt_AsSoonAsTheClientHearsThatTheCellIsBusy_EndsItAndNotTheNext()
    {
        Assert.Equal(["endless: error", "next: ok"], RepliesOf(interruptAt: "busy"));
    }

    // Of an endless cell, interrupted before the loop starts or as its status is published, and of one that is sent when the reply has
    // come.
    private static List<string> RepliesOf(string? interruptAt)
    {
        List<string> replies = [];
        using var done = new ManualResetEventSlim();
        ExecutionLoop? loop = null;
        using var iopub = new IopubPublisher(Published, "kernel", maxCharacters: 1000);
        loop = new ExecutionLoop(
            new KernelOptions { WarmUp = false }, iopub, request => new CellOutput(request, iopub, (_, _, _) => ""), Reply);
        loop.Add(Request("endless", "while (true) { }"));
        if (interruptAt is null)
            loop.Interrupt();
        loop.Start();
        Assert.True(done.Wait(TimeSpan.FromSeconds(60)), string.Join(", ", replies));
        loop.Stop();
        return replies;

        void Published(JupyterMessage message)
        {
            if (message.Text("execution_state") == interruptAt && replies.Count == 0)
                loop!.Interrupt();
        }

        void Reply(Channel channel, JupyterMessage request, JsonObject content)
        {
            replies.Add($"{request.Id}: {content["status"]}");
            if (replies.Count == 1)
                loop!.Add(Request("next", "1"));
            else
                done.Set();
        }
    }

    private static JupyterMessage Request(string id, string code) =>
        JupyterMessage.Create("execute_request", new JsonObject { ["code"] = code }, parent: null, "client") with { Id = id };
}
