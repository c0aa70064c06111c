using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench kernel</c>: the notebook kernel as a client sees it.</summary>
internal static class KernelBench
{
    public static Command Create(Session session) => BenchFlags.Verb<Flags>(
        "kernel", "Measures the notebook kernel: start, cells, memory, completion, output, interrupt. Takes about a minute.",
        flags => KernelVerb.Guarded(() =>
        {
            foreach (var (name, value, unit, target) in new KernelBenchmark(LabLaunch.Kernel).Run(flags.Cells))
            {
                session.Output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name,-55}{value,9:0.###} {unit,-4} (target {target:0.###} {unit}{(value > target ? ", missed" : "")})"));
            }

            return ExitCode.Success;
        }));

    private sealed record Flags
    {
        [Flag("What is measured", "Trivial cells to run.", Minimum = 60)]
        public int Cells { get; init; } = 300;
    }
}
