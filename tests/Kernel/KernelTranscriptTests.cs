using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>What a kernel process answers to each message, by the project's own client.</summary>
[Trait("Category", "Kernel")]
public sealed class KernelTranscriptTests(KernelTranscriptTests.Fixture fixture) : IClassFixture<KernelTranscriptTests.Fixture>
{
    private readonly KernelUnderTest _kernel = fixture.Kernel;

    [Fact]
    public void KernelInfo_Reply_SaysLanguageAndProtocol()
    {
        var reply = _kernel.Ask(Channel.Shell, "kernel_info_request", []);
        Assert.Equal("5.4", reply["protocol_version"]!.ToString());
        Assert.Equal("C#", reply["language_info"]!["name"]!.ToString());
        Assert.Equal(".cs", reply["language_info"]!["file_extension"]!.ToString());
    }

    [Fact]
    public void Execute_Cell_PublishesBusyInputStreamResultIdleInThatOrder()
    {
        var (reply, published) = _kernel.Run("Console.WriteLine(\"text\");\n6 * 7");
        Assert.Equal("ok", reply.Text("status"));
        Assert.Equal(["status", "execute_input", "stream", "execute_result", "status"], published.Select(m => m.Type));
        Assert.Equal("42", published[3].Content["data"]!["text/plain"]!.ToString());
        Assert.Equal(reply.Number("execution_count", -1), published[3].Number("execution_count", -2));
    }

    [Fact]
    public void Execute_Silent_PublishesNothingAndCountsNothing()
    {
        var before = _kernel.Run("1").Reply.Number("execution_count", 0);
        var request = new JsonObject { ["code"] = "Console.WriteLine(1); 2", ["silent"] = true };
        var (reply, published) = _kernel.Collect(_kernel.Client.Send(Channel.Shell, "execute_request", request));
        Assert.Equal("ok", reply.Text("status"));
        Assert.Equal(["status", "status"], published.Select(m => m.Type));
        Assert.Equal(before + 1, _kernel.Run("1").Reply.Number("execution_count", 0));
    }

    [Fact]
    public void Execute_UserExpressions_AreEvaluatedEach()
    {
        var request = new JsonObject
        {
            ["code"] = "var ue = 5;",
            ["user_expressions"] = new JsonObject { ["good"] = "ue + 1", ["bad"] = "nothing" },
        };
        var reply = _kernel.Ask(Channel.Shell, "execute_request", request);
        Assert.Equal("6", reply["user_expressions"]!["good"]!["data"]!["text/plain"]!.ToString());
        Assert.Equal("error", reply["user_expressions"]!["bad"]!["status"]!.ToString());
    }

    [Fact]
    public void Execute_ErrorWithQueuedCells_AbortsThem()
    {
        var gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        var failing = _kernel.Client.Execute(
            $"while (!System.IO.File.Exists(\"{gate}\")) System.Threading.Thread.Sleep(5); throw new Exception(\"stop\");");
        var queued = _kernel.Client.Execute("1");
        try
        {
            // Shell messages are taken in order: once this one is answered, the cell waits in the kernel's queue.
            _kernel.Ask(Channel.Shell, "kernel_info_request", []);
            File.WriteAllText(gate, "");
            Assert.Equal("error", _kernel.Collect(failing).Reply.Text("status"));
            Assert.Equal("aborted", _kernel.Collect(queued).Reply.Text("status"));
            Assert.Equal("ok", _kernel.Run("1").Reply.Text("status"));
        }
        finally
        {
            File.Delete(gate);
        }
    }

    [Fact]
    public void Execute_DisplayAndUpdate_ShareTheirId()
    {
        var published = _kernel.Run("var d = display(\"a\"); d.Update(\"b\");").Published;
        var (shown, updated) = (published.Single(m => m.Type == "display_data"), published.Single(m => m.Type == "update_display_data"));
        Assert.Equal(shown.Content["transient"]!["display_id"]!.ToString(), updated.Content["transient"]!["display_id"]!.ToString());
        Assert.Equal("b", updated.Content["data"]!["text/plain"]!.ToString());
    }

    [Theory]
    [InlineData("false", false)]
    [InlineData("true", true)]
    public void Execute_ClearOutput_TellsTheClientAfterWhatWasShown(string wait, bool expected)
    {
        var published = _kernel.Run(
            $"Console.Write(\"old\"); Microsoft.DotNet.Interactive.KernelInvocationContext.Current.ClearOutput({wait}); "
            + "Console.Write(\"new\");").Published;
        Assert.Equal(["status", "execute_input", "stream", "clear_output", "stream", "status"], published.Select(m => m.Type));
        Assert.Equal(expected, published[3].Flag("wait", !expected));
    }

    [Fact]
    public void Execute_ReadLineAndPassword_AskTheClient()
    {
        var prompts = new List<(string, bool)>();
        var id = _kernel.Client.Execute(
            "var a = Console.ReadLine(); var b = await GetInputAsync(\"name?\"); var c = await GetPasswordAsync(\"pw\"); "
            + "$\"{a}|{b}|{c}|{c.GetClearTextPassword()}\"", null, allowStdin: true);
        var (_, published) = _kernel.Collect(id, request =>
        {
            prompts.Add((request.Text("prompt"), request.Flag("password", false)));
            _kernel.Client.Send(Channel.Stdin, "input_reply", new JsonObject { ["value"] = $"v{prompts.Count}" });
        });
        Assert.Equal([("", false), ("name?", false), ("pw", true)], prompts);
        Assert.Equal("v1|v2|************|v3", published.Single(m => m.Type == "execute_result").Content["data"]!["text/plain"]!.ToString());
    }

    [Theory]
    [InlineData(Channel.Control, "while (true) rounds++;")]
    [InlineData(Channel.Shell, "while (true) rounds++;")]
    [InlineData(Channel.Control, "Parallel.For(0, int.MaxValue, i => { });")]
    [InlineData(Channel.Control, "Task.WaitAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => { while (true) { } })).ToArray());")]
    public void Interrupt_EndlessCell_EndsItAndKeepsTheState(Channel channel, string code)
    {
        var times = new List<double>();
        // A busy machine may keep every thread waiting: the quickest of a few tries shows what the kernel itself takes.
        do
            times.Add(Interrupt(channel, "var rounds = 0L; rounds++; Console.WriteLine(\"begun\"); " + code));
        while (times[^1] >= 1000 && times.Count < 4);
        Assert.True(times[^1] < 1000, $"took {string.Join(", ", times)} ms");
        Assert.Equal("ok", _kernel.Run("if (rounds == 0) throw new Exception();").Reply.Text("status"));
    }

    // Milliseconds from the sending of the interrupt to the error that the kernel published, by the clock of this machine.
    private double Interrupt(Channel channel, string code)
    {
        var id = _kernel.Client.Execute(code);
        _kernel.WaitForText(id, "begun");
        // Time to fill the thread pool, where the cell does.
        Thread.Sleep(500);
        var asked = DateTime.UtcNow;
        _kernel.Client.Send(channel, "interrupt_request", []);
        var (reply, published) = _kernel.Collect(id);
        Assert.Equal("KeyboardInterrupt", reply.Text("ename"));
        var date = JsonNode.Parse(published.Single(m => m.Type == "error").Header)!["date"]!.ToString();
        return (DateTime.Parse(date, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal) - asked).TotalMilliseconds;
    }

    [Fact]
    public void Interrupt_BySignal_EndsTheCell()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no signals");
        ProcessSignal.SkipWhereIgnored("INT");
        var id = _kernel.Client.Execute("Console.WriteLine(\"begun\"); while (true) { }");
        _kernel.WaitForText(id, "begun");
        ProcessSignal.Send(_kernel.Process.Id, "INT");
        Assert.Equal("KeyboardInterrupt", _kernel.Collect(id).Reply.Text("ename"));
    }

    [Fact]
    public void Execute_OutputOfACellThatFillsTheThreadPool_ArrivesWhileItRuns()
    {
        var id = _kernel.Client.Execute("Console.WriteLine(\"begun\"); Parallel.For(0, int.MaxValue, i => { });");
        var text = "";
        while (text.Length == 0 && _kernel.Client.TryReceive(TimeSpan.FromSeconds(20), out _, out var message))
            text = message.ParentId == id ? message.Text("text") : "";
        Assert.Equal("begun\n", text);
        _kernel.Client.Send(Channel.Control, "interrupt_request", []);
        Assert.Equal("KeyboardInterrupt", _kernel.Collect(id).Reply.Text("ename"));
    }

    [Theory]
    [InlineData("../anywhere/Dreambooth.Lab.dll")]
    [InlineData("Dreambooth.Lab.dll")]
    public void Reference_OfTheHostAssembly_BringsTensorsAndSaysNothing(string path)
    {
        using var kernel = new KernelUnderTest();
        var (reply, published) = kernel.Run(
            $"#r \"{path}\"\nusing TorchSharp;\nusing Dreambooth.Lab.Imaging;\ntorch.Tensor t = torch.zeros(2, 3);\nt.shape[1] + new "
            + "RgbImage(1, 1, new byte[3]).Width");
        Assert.True(reply.Text("status") == "ok", reply.Content.ToJsonString());
        Assert.Equal(["status", "execute_input", "execute_result", "status"], published.Select(m => m.Type));
        Assert.Equal("4", published[2].Content["data"]!["text/plain"]!.ToString());
    }

    [Fact]
    public void Complete_Member_IsFoundWithDocumentation()
    {
        _kernel.Run("var words = new List<string>();");
        var reply = _kernel.Ask(Channel.Shell, "complete_request", new JsonObject { ["code"] = "words.AddRa", ["cursor_pos"] = 11 });
        Assert.Equal("AddRange", reply["matches"]![0]!.ToString());
        Assert.Equal((6, 11), (reply["cursor_start"]!.GetValue<int>(), reply["cursor_end"]!.GetValue<int>()));
        var described = reply["metadata"]!["_jupyter_types_experimental"]![0]!;
        Assert.Contains("Adds the elements", described["documentation"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#!ti", "#!time")]
    [InlineData("#!time\nConso", "Console")]
    [InlineData("\"é😀\"; Strin", "String")]
    public void Complete_Text_OffersTheName(string code, string expected)
    {
        var reply = _kernel.Ask(
            Channel.Shell, "complete_request", new JsonObject { ["code"] = code, ["cursor_pos"] = code.EnumerateRunes().Count() });
        Assert.Contains(expected, reply["matches"]!.AsArray().Select(m => m!.ToString()));
    }

    [Fact]
    public void Inspect_Name_ShowsItsType()
    {
        _kernel.Run("var inspected = new Dictionary<string, int>();");
        var reply = _kernel.Ask(
            Channel.Shell, "inspect_request", new JsonObject { ["code"] = "inspected", ["cursor_pos"] = 3, ["detail_level"] = 0 });
        Assert.True(reply["found"]!.GetValue<bool>());
        Assert.Contains("Dictionary<string, int>", reply["data"]!["text/plain"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_ArgumentList_ShowsTheSignatures()
    {
        var reply = _kernel.Ask(
            Channel.Shell, "inspect_request", new JsonObject { ["code"] = "Math.Clamp(1, ", ["cursor_pos"] = 14, ["detail_level"] = 0 });
        Assert.Contains("int Math.Clamp(int value, int min, int max)", reply["data"]!["text/plain"]!.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1 + 1", "complete")]
    [InlineData("for (var i = 0; i < 3; i++) {", "incomplete")]
    [InlineData("#!time", "complete")]
    [InlineData("var = ;", "invalid")]
    public void IsComplete_Code_IsJudged(string code, string expected) =>
        Assert.Equal(expected, _kernel.Ask(Channel.Shell, "is_complete_request", new JsonObject { ["code"] = code })["status"]!.ToString());

    [Fact]
    public void History_Tail_HoldsTheLastCells()
    {
        _kernel.Run("// remembered");
        var reply = _kernel.Ask(
            Channel.Shell, "history_request", new JsonObject
            {
                ["hist_access_type"] = "tail",
                ["n"] = 1,
                ["output"] = false,
                ["raw"] = true,
            });
        Assert.Equal("// remembered", reply["history"]![0]![2]!.ToString());
    }

    [Fact]
    public void Comm_Open_IsClosedPolitely()
    {
        _kernel.Client.Send(
            Channel.Shell, "comm_open", new JsonObject { ["comm_id"] = "c1", ["target_name"] = "nobody", ["data"] = new JsonObject() });
        while (_kernel.Client.TryReceive(TimeSpan.FromSeconds(20), out _, out var message))
        {
            if (message.Type != "comm_close")
                continue;
            Assert.Equal("c1", message.Text("comm_id"));
            Assert.Empty(_kernel.Ask(Channel.Shell, "comm_info_request", [])["comms"]!.AsObject());
            return;
        }

        Assert.Fail("no comm_close came");
    }

    [Fact]
    public void Receive_BadMessages_AreRefusedAndTheKernelLives()
    {
        var good = new MessageCodec("another key").Encode(
            JupyterMessage.Create("execute_request", new JsonObject { ["code"] = "Environment.Exit(3)" }, null, "s"));
        _kernel.Client.SendFrames(Channel.Shell, good);
        _kernel.Client.SendFrames(Channel.Shell, [Encoding.UTF8.GetBytes("nonsense")]);
        _kernel.Client.SendFrames(Channel.Control, [.. good.Select(f => f.Length > 40 ? f[..40] : f)]);
        Assert.Equal("ok", _kernel.Run("1").Reply.Text("status"));
    }

    [Fact]
    public void Execute_TenThousandQuickMessages_AllArrive()
    {
        var published = _kernel.Run("for (var i = 0; i < 10_000; i++) display(i);").Published;
        Assert.Equal(10_000, published.Count(m => m.Type == "display_data"));
        Assert.Equal("9999", published.Last(m => m.Type == "display_data").Content["data"]!["text/plain"]!.ToString());
    }

    [Fact]
    public void Execute_TwoHundredMegabytes_AreTruncatedWithANote()
    {
        var published = _kernel.Run(
            "var line = new string('x', 1000); for (var i = 0; i < 200_000; i++) Console.WriteLine(line);").Published;
        var text = string.Concat(published.Where(m => m.Type == "stream").Select(m => m.Text("text")));
        Assert.InRange(text.Length, 8 << 20, (8 << 20) + 300);
        Assert.EndsWith("`kernel start --max-output`]\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("var lost = new System.Threading.Thread(() => throw new Exception(\"lost\")); lost.Start(); lost.Join();")]
    [InlineData("async void F() { await Task.Yield(); throw new Exception(\"lost\"); } F(); System.Threading.Thread.Sleep(100);")]
    [InlineData("System.IO.File.WriteAllBytes(\"/dev/full\", new byte[10]);")]
    [InlineData("public class Odd { public override string ToString() => throw new Exception(\"no text\"); }\nnew Odd()")]
    [InlineData(
        "throw new Odd2(); public class Odd2 : Exception { public override string Message => throw new Exception(\"no message\"); }")]
    [InlineData("Console.SetOut(System.IO.TextWriter.Null); Console.WriteLine(1);")]
    public void Execute_CellThatMisbehaves_LeavesTheKernelAlive(string code)
    {
        _kernel.Run(code);
        var (reply, published) = _kernel.Run("Console.WriteLine(\"still\"); \"alive\"");
        Assert.Equal("ok", reply.Text("status"));
        Assert.Contains(published, m => m.Text("text").Contains("still", StringComparison.Ordinal));
    }

    // The cell stays until the garbage collector has found the task: whatever cell runs then is told of it, and other tests count what
    // theirs say.
    [Fact]
    public void Execute_TaskThatFailsUnawaited_IsToldOfAndLeavesTheKernelAlive()
    {
        var (reply, published) = _kernel.Run("""
            var found = false;
            TaskScheduler.UnobservedTaskException += (_, _) => found = true;
            void Lose() => ((IAsyncResult)Task.Run(() => throw new Exception("lost"))).AsyncWaitHandle.WaitOne();
            Lose();
            for (var i = 0; i < 2000 && !found; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                System.Threading.Thread.Sleep(1);
            }
            found
            """);
        Assert.Equal("ok", reply.Text("status"));
        Assert.Equal("True", published.Single(m => m.Type == "execute_result").Content["data"]!["text/plain"]!.ToString());
        Assert.Contains(published, m => m.Text("text").Contains("nobody awaited failed: lost", StringComparison.Ordinal));
        Assert.Equal("ok", _kernel.Run("1").Reply.Text("status"));
    }

    [Fact]
    public void Execute_WrongName_ComesWithAHint()
    {
        Assert.Contains("did you mean `Console`", Error("Consol.WriteLine(1);"), StringComparison.Ordinal);
        Assert.Contains("add `using System.Globalization;`", Error("CultureInfo.InvariantCulture"), StringComparison.Ordinal);
        Assert.Contains("did you mean `Length`", Error("\"a\".Lenght"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("typeof(string).GetTypeInfo()", "add `using System.Reflection;`")]
    [InlineData("int whole = 2.5 * 2;", "convert it: `(int)(2.5 * 2)`")]
    [InlineData("StringBuildr b = null;", "did you mean `StringBuilder`?")]
    [InlineData("double.Pars(\"1\")", "did you mean `Parse`")]
    public void Execute_CodeWithAKnownRepair_ComesWithIt(string code, string expected)
    {
        Assert.Contains("hint: " + expected, Error(code), StringComparison.Ordinal);
    }

    private string Error(string code) =>
        string.Join('\n', _kernel.Run(code).Reply.Content["traceback"]!.AsArray().Select(l => l!.ToString()));

    public sealed class Fixture : IDisposable
    {
        internal KernelUnderTest Kernel { get; } = new();

        public void Dispose() => Kernel.Dispose();
    }

    [Fact]
    public void Receive_SignedMessagesWithAWrongHeader_AreRefusedAndTheKernelGoesOn()
    {
        string[] headers = ["null", """{"msg_type": "a", "msg_id": "a", "msg_id": "b"}""", """{"msg_type": "a", "msg_id": null}"""];
        foreach (var header in headers)
        {
            var wrong = new JupyterMessage([], System.Text.Encoding.UTF8.GetBytes(header), "{}"u8.ToArray(), [], [], []);
            foreach (var channel in new[] { Channel.Shell, Channel.Control, Channel.Stdin })
                _kernel.Client.Send(channel, wrong);
        }

        Assert.Equal("ok", _kernel.Run("1 + 1").Reply.Text("status"));
    }
}
