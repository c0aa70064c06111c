using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Kernel;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench kernel</c>: the notebook kernel as a client sees it.</summary>
internal static class KernelBench
{
    private const int LeastCells = 60;

    public static Command Create(Session session)
    {
        var cells = new Option<int>("--cells") { Description = $"Trivial cells to run, at least {LeastCells}.", DefaultValueFactory = _ => 300 };
        var verb = new Command("kernel", "Measures the notebook kernel: start, cells, memory, completion, output, interrupt. Takes about a minute.") { cells };
        verb.SetAction(result => KernelVerb.Guarded(() =>
        {
            var count = result.GetValue(cells);
            if (count < LeastCells)
                throw new UsageException($"--cells is {count}; valid is at least {LeastCells}.");
            foreach (var (name, value, unit, target) in new KernelBenchmark(LabLaunch.Kernel).Run(count))
            {
                session.Output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{name,-55}{value,9:0.###} {unit,-4} (target {target:0.###} {unit}{(value > target ? ", missed" : "")})"));
            }

            return ExitCode.Success;
        }));
        return verb;
    }
}
