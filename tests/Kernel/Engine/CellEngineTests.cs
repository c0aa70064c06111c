using Dreambooth.Lab.Kernel.Engine;

namespace Dreambooth.Lab.Tests.Kernel.Engine;

[Trait("Category", "Kernel")]
public sealed class CellEngineTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly CellEngine _engine = new([]);
    private int _count;

    [Theory]
    [InlineData("1 + 1", true, 2)]
    [InlineData("Math.Abs(-1);", false, null)]
    [InlineData("var x = 3;\nx", true, 3)]
    [InlineData("await Task.FromResult(4)", true, 4)]
    [InlineData("(string)null", true, null)]
    [InlineData("Console.Write(\"\")", false, null)]
    [InlineData("// comment", false, null)]
    [InlineData("using System.IO;", false, null)]
    [InlineData("", false, null)]
    public void Execute_Cell_HasTheValueOfItsLastExpression(string code, bool hasValue, object? value) =>
        Assert.Equal((hasValue, value), Run(code));

    [Fact]
    public void Execute_LaterCell_SeesVariablesFunctionsTypesAndUsings()
    {
        Run("using System.IO;\nvar a = 20;\nint Twice(int n) => 2 * n;\nrecord R(int V);");
        Run("// nothing");
        Assert.Equal("42.txt", Run("Path.ChangeExtension(new R(Twice(a) + 2).V.ToString(), \"txt\")").Value);
    }

    [Fact]
    public void Execute_ThrowingCell_KeepsWhatItHadSet()
    {
        Assert.Throws<InvalidOperationException>(() => Run("var kept = 5;\nthrow new InvalidOperationException();"));
        Assert.Equal(5, Run("kept").Value);
    }

    [Fact]
    public void Execute_CodeThatDoesNotCompile_LeavesTheStateAndMarksThePlace()
    {
        Run("var a = 1;");
        var error = Assert.Throws<CompilationFailedException>(() => Run("var b = 2;\n  foo(b);"));
        Assert.Equal("In[2](2,3): error CS0103: The name 'foo' does not exist in the current context\n    foo(b);\n    ^^^", error.Message);
        Assert.Equal(1, Run("a").Value);
    }

    [Fact]
    public void Format_ExceptionInACalledFunction_NamesCellAndLinesAndNoEngineFrames()
    {
        Run("int Deep(int n)\n{\n    return 1 / n;\n}");
        var error = Assert.Throws<DivideByZeroException>(() => Run("\nfor (var i = 0; i < 1; i++)\n    Deep(i);"));
        var lines = CellTraceback.Format(error);
        Assert.Equal("   at Deep(Int32 n) in In[1]: line 3", lines[1]);
        Assert.Equal("   at In[2]: line 3", lines[2]);
        Assert.DoesNotContain(
            lines, l => l.Contains(" Dreambooth.Lab.Kernel.", StringComparison.Ordinal) || l.Contains("Factory", StringComparison.Ordinal));
    }

    [Fact]
    public void Execute_SameCellAgain_LetsGoOfTheOldValue()
    {
        var first = RunAndTrack("var big = new byte[1000];", "big", "cell-a");
        Run("var big = new byte[1000];", "cell-a");
        Assert.False(IsAlive(first));
    }

    [Fact]
    public void Execute_VariableUsedByAFunctionOfAnotherCell_IsKept()
    {
        Run("var list = new List<int> { 1 };", "a");
        Run("int Count() => list.Count;", "b");
        Run("var list = new List<int> { 1, 2, 3 };", "a");
        Assert.Equal(1, Run("Count()").Value);
        Assert.Equal(3, Run("list.Count").Value);
    }

    [Fact]
    public void Execute_VariableUsedByAFunctionOfTheSameCell_IsLetGoWhenThatRunsAgain()
    {
        const string Code = "var data = new byte[1000];\nint Size() => data.Length;";
        var first = RunAndTrack(Code, "data", "a");
        Run(Code, "a");
        Assert.False(IsAlive(first));
        Assert.Equal(1000, Run("Size()").Value);
    }

    [Fact]
    public void TrySet_VariableOfACell_ChangesItForLaterCells()
    {
        Run("var text = \"old\";");
        Assert.True(_engine.TrySet("text", "new"));
        Assert.False(_engine.TrySet("text", 5));
        Assert.Equal("new", Run("text").Value);
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("for (;;) ;")]
    [InlineData("do Console.Write(\"\"); while (true);")]
    [InlineData("while (true) try { System.Threading.Thread.Sleep(1000); } catch { }")]
    [InlineData("System.Threading.Thread.Sleep(100_000);")]
    [InlineData("await Task.Delay(100_000);")]
    [InlineData("Task.Delay(100_000).Wait();")]
    [InlineData("void F() => F2(); void F2() { System.Threading.Thread.Yield(); G(); } void G() { while (true) F3(); } void F3() { } F();")]
    [InlineData("Enumerable.Range(0, int.MaxValue).Select(i => { return i; }).Where(i => i < 0).ToList();")]
    [InlineData("Parallel.For(0, int.MaxValue, i => { });")]
    [InlineData("Task.WaitAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => { while (true) { } })).ToArray());")]
    [InlineData("await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => { while (true) { } })));")]
    public void Interrupt_EndlessCell_EndsQuicklyAndKeepsTheState(string code)
    {
        Run("var before = 1;");
        var times = new List<double>();
        // A busy machine may keep every thread waiting: the quickest of a few tries shows what the engine itself takes.
        do
            times.Add(Interrupt("before++;\nbegun.Set();\n" + code));
        while (times[^1] >= 1000 && times.Count < 4);
        Assert.True(times[^1] < 1000, $"took {string.Join(", ", times)} ms");
        Assert.Equal(1 + times.Count, Run("before").Value);
    }

    // Milliseconds from the interrupt to the end of the cell, which says that it has begun.
    private double Interrupt(string code)
    {
        using var run = new CellRun(null);
        var begun = Variable<ManualResetEventSlim>("var begun = new System.Threading.ManualResetEventSlim();", "begun");
        var interrupted = 0L;
        var thread = new Thread(() =>
        {
            begun.Wait(s_patience);
            // Time to fill the thread pool, where the cell does.
            Thread.Sleep(300);
            interrupted = System.Diagnostics.Stopwatch.GetTimestamp();
            run.Interrupt();
        });
        thread.Start();
        var error = Record.Exception(() => _engine.Execute(code, "In[9]", "i", run));
        var ended = System.Diagnostics.Stopwatch.GetTimestamp();
        thread.Join();
        Assert.True(error is CellInterruptedException or AggregateException, $"{error}");
        return System.Diagnostics.Stopwatch.GetElapsedTime(interrupted, ended).TotalMilliseconds;
    }

    [Fact]
    public void Interrupt_AwaitingCell_RunsItsFinallyAndDoesNotGoOnLater()
    {
        using var run = new CellRun(null);
        var begun = Variable<ManualResetEventSlim>("var begun = new System.Threading.ManualResetEventSlim();", "begun");
        var thread = new Thread(() =>
        {
            begun.Wait(s_patience);
            run.Interrupt();
        });
        thread.Start();
        Assert.ThrowsAny<OperationCanceledException>(() => _engine.Execute(
            "var state = \"begun\";\nbegun.Set();\ntry { await Task.Delay(100_000, "
            + "Microsoft.DotNet.Interactive.KernelInvocationContext.Current?.CancellationToken ?? default); state = \"went on\"; "
            + "}\nfinally { state += \", tidied\"; }",
            "In[1]", "k", run));
        thread.Join();
        Assert.Equal("begun", Run("state.Split(',')[0]").Value);
    }

    [Fact]
    public void Interrupt_TaskThatGetsItsThreadAfterwards_EndsWhenItBegins()
    {
        using var run = new CellRun(null);
        var gate = Variable<ManualResetEventSlim>("var gate = new System.Threading.ManualResetEventSlim();", "gate");
        var begun = Variable<ManualResetEventSlim>("var begun = new System.Threading.ManualResetEventSlim();", "begun");
        Run("Task late = null;");
        var thread = new Thread(() =>
        {
            begun.Wait(s_patience);
            run.Interrupt();
        });
        thread.Start();
        Task late;
        try
        {
            Assert.ThrowsAny<OperationCanceledException>(() => _engine.Execute(
                "for (var i = 0; i < 200; i++) _ = Task.Run(() => gate.Wait());\nlate = Task.Run((Action)(() => { while (true) { } "
                + "}));\nbegun.Set();\nlate.Wait();", "In[1]", "k", run));
            thread.Join();
            // Looked up and not run as a cell, whose compilation may wait for a thread of the pool too.
            late = (Task)_engine.Variables.Single(v => v.Name == "late").Value!;
            Assert.Equal(TaskStatus.WaitingToRun, late.Status);
        }
        finally
        {
            gate.Set();
        }

        Assert.True(SpinWait.SpinUntil(() => late.IsCompleted, s_patience), "a task of the interrupted cell runs on");
    }

    private T Variable<T>(string code, string name)
    {
        Run(code);
        return (T)_engine.Variables.Single(v => v.Name == name).Value!;
    }

    private (bool HasValue, object? Value) Run(string code, string? key = null)
    {
        using var run = new CellRun(null);
        return _engine.Execute(code, $"In[{++_count}]", key ?? code, run);
    }

    // Not inlined: a reference left in a register or a temporary of the caller would keep the value alive.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private WeakReference RunAndTrack(string code, string variable, string key)
    {
        Run(code, key);
        return new WeakReference(_engine.Variables.Single(v => v.Name == variable).Value);
    }

    private static bool IsAlive(WeakReference reference)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return reference.IsAlive;
    }
}
