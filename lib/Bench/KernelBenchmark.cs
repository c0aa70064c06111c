using System.Diagnostics;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Bench;

/// <summary>Measures a kernel from outside, as a client sees it.</summary>
/// <param name="launch">Starts the kernel.</param>
internal sealed class KernelBenchmark(KernelLaunch launch)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs every measurement.</summary>
    /// <param name="cells">How many trivial cells are run.</param>
    /// <returns>A name, the figure with its unit, and the target, for each.</returns>
    /// <exception cref="KernelException">The kernel does not start or does not answer.</exception>
    public IEnumerable<(string Name, double Value, string Unit, double Target)> Run(int cells = 300)
    {
        var starts = Enumerable.Range(0, 5).Select(_ => Start()).Order().ToList();
        yield return ("start to first result, median of 5", starts[2].Result, "s", 1.0);
        yield return ("of this: start to kernel_info_reply", starts[2].Ready, "s", 0.5);
        using var kernel = KernelProcess.Start(launch, Path.GetTempPath(), s_patience);
        Execute(kernel, "var x = 0;");
        var times = new List<double>();
        var memory = 0.0;
        for (var i = 1; i <= cells; i++)
        {
            // Every other cell declares a variable, which later cells must be compiled against.
            times.Add(Execute(kernel, i % 2 == 0 ? $"x = x + {i};\nx" : $"var y{i} = x + {i};\ny{i}"));
            if (i == 50)
                memory = Memory(kernel);
        }

        yield return ($"trivial cell, median of the last 50 of {cells}", Median(times.TakeLast(50)), "ms", 25);
        yield return ($"memory growth per cell, resident, cells 50 to {cells}", (Memory(kernel) - memory) / Math.Max(1, cells - 50),
            "MiB", 0.6);
        Complete(kernel, "Console.Wr");
        var completions = Enumerable.Range(0, 20).Select(i => Complete(kernel, i % 2 == 0 ? "x.ToSt" : "Enumerable.Ra"));
        yield return ($"completion after {cells} cells, median of 20", Median(completions), "ms", 150);
        var lines = Enumerable.Range(0, 5).Select(_ => Execute(kernel, "for (var i = 0; i < 20_000; i++) Console.WriteLine(i);"));
        yield return ("20,000 printed lines", Median(lines) / 1000, "s", 0.2);
        string[] loops =
        [
            "while (true) { }", "for (var s = 0L; ; ) s++;", "int F(int n) { while (true) n++; }\nF(1);",
            "while (true) try { throw new Exception(); } catch (Exception) { }", "Parallel.For(0, int.MaxValue, i => { });",
            "Task.WaitAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => { while (true) { } })).ToArray());",
        ];
        foreach (var loop in loops)
            yield return ($"interrupt of {loop.ReplaceLineEndings(" ")}", Interrupt(kernel, loop) / 1000, "s", 0.2);
    }

    private (double Result, double Ready) Start()
    {
        var clock = Stopwatch.StartNew();
        using var kernel = KernelProcess.Start(launch, Path.GetTempPath(), s_patience);
        var ready = clock.Elapsed.TotalSeconds;
        Execute(kernel, "1 + 1");
        return (clock.Elapsed.TotalSeconds, ready);
    }

    private static double Execute(KernelProcess kernel, string code)
    {
        var clock = Stopwatch.StartNew();
        Await(kernel, kernel.Client.Execute(code));
        return clock.Elapsed.TotalMilliseconds;
    }

    private static double Interrupt(KernelProcess kernel, string code)
    {
        var id = kernel.Client.Execute(code);
        Thread.Sleep(700);
        var clock = Stopwatch.StartNew();
        kernel.Client.Send(Channel.Control, "interrupt_request", []);
        Await(kernel, id);
        return clock.Elapsed.TotalMilliseconds;
    }

    private static double Complete(KernelProcess kernel, string code)
    {
        var clock = Stopwatch.StartNew();
        Await(
            kernel, kernel.Client.Send(
                Channel.Shell, "complete_request", new JsonObject { ["code"] = code, ["cursor_pos"] = code.Length }));
        return clock.Elapsed.TotalMilliseconds;
    }

    // Until both the reply and the idle status are there, as a client waits.
    private static void Await(KernelProcess kernel, string id)
    {
        var (replied, idle) = (false, false);
        while (!replied || !idle)
        {
            if (!kernel.Client.TryReceive(s_patience, out var channel, out var message))
                throw new KernelException("The kernel did not answer.");
            if (message.ParentId != id)
                continue;
            replied |= channel == Channel.Shell;
            idle |= message.Type == "status" && message.Text("execution_state") == "idle";
        }
    }

    private static double Memory(KernelProcess kernel)
    {
        using var process = Process.GetProcessById(kernel.Id);
        return process.WorkingSet64 / (double)(1 << 20);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
