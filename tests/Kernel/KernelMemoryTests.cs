using System.Diagnostics;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>What a kernel's process takes when many cells declare variables, against the same kernel at rest.</summary>
[Trait("Category", "Kernel")]
public sealed class KernelMemoryTests(ITestOutputHelper output) : IDisposable
{
    private const double MB = 1e6;
    private readonly KernelUnderTest _kernel = new();

    public void Dispose() => _kernel.Dispose();

    [Fact]
    public void Execute_ThreeHundredDeclaringCells_AddFewMegabytes()
    {
        var atRest = AtRest();
        Declare(300);
        // Two thirds of what 2,000 cells may add: most of it comes with the first hundred, whose methods are compiled once.
        Assert.InRange(Memory() - atRest, double.MinValue, 100);
    }

    /// <summary>
    /// Run with LAB_BENCHMARKS=1 and <c>dotnet test tests --filter Execute_TwoThousandDeclaringCells</c>.
    /// </summary>
    [Fact]
    [Trait("Category", "Benchmark")]
    public void Execute_TwoThousandDeclaringCells_AddAtMost150MegabytesAndStayQuick()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("LAB_BENCHMARKS") is null, "Set LAB_BENCHMARKS=1 to measure.");
        var atRest = AtRest();
        List<double> times = [];
        double Seconds(int cells)
        {
            var before = ProcessorTime();
            times.AddRange(Declare(cells));
            return (ProcessorTime() - before).TotalSeconds;
        }

        // Other programs make an answer late; what the kernel computes for it stays the same.
        var computed = new[] { Seconds(100), Seconds(1800), Seconds(100) };
        var (first, last, added) = (times.Take(100).Average(), times.TakeLast(100).Average(), Memory() - atRest);
        output.WriteLine($"at rest {atRest:0} MB, added {added:0} MB; first hundred {first:0.0} ms a cell, last {last:0.0} ms");
        output.WriteLine($"processor time: first hundred {10 * computed[0]:0.0} ms a cell, last {10 * computed[2]:0.0} ms");
        Assert.InRange(added, double.MinValue, 150);
        Assert.InRange(computed[2] / computed[0], 0, 1.5);
    }

    // A kernel whose completion is ready, which it makes itself when it rests.
    private double AtRest()
    {
        _kernel.Run("1 + 1");
        _kernel.Ask(Channel.Shell, "complete_request", new JsonObject { ["code"] = "Console.Wr", ["cursor_pos"] = 10 });
        return Memory();
    }

    private List<double> Declare(int cells)
    {
        var times = new List<double>();
        for (var i = 0; i < cells; i++)
        {
            var clock = Stopwatch.StartNew();
            Assert.Equal("ok", _kernel.Run($"var x = {i};").Reply.Text("status"));
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        return times;
    }

    private TimeSpan ProcessorTime()
    {
        using var process = Process.GetProcessById(_kernel.Process.Id);
        return process.TotalProcessorTime;
    }

    private double Memory()
    {
        using var process = Process.GetProcessById(_kernel.Process.Id);
        return process.WorkingSet64 / MB;
    }
}
