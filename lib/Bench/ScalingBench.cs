using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench scaling</c>: what a training over ranks is predicted to take; measures nothing.</summary>
internal static class ScalingBench
{
    private static readonly int[] Ranks = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
    private static readonly double[] NoiseScales = [8, 64, 512];

    public static Command Create(Session session) => BenchFlags.Verb<Flags>(
        "scaling", "Predicts step times of a training over 1 to 1,024 ranks from a measured step and a measured all-reduce.", flags =>
        {
            var model = new ScalingModel { ComputeMilliseconds = flags.ComputeMs, GradientBytes = flags.GradientMb * 1e6 };
            session.Output.WriteLine(Table(model, flags.TrainBatchSize));
            if (flags.Output is { } file)
            {
                AtomicFile.Write(file, stream => stream.Write(Chart(model, flags.TrainBatchSize).ToPng()));
                session.Output.WriteLine(file);
            }

            return ExitCode.Success;
        });

    /// <summary>The predictions as a table of Markdown.</summary>
    /// <param name="model">What is predicted.</param>
    /// <param name="batch">Pictures of a rank's step.</param>
    internal static string Table(ScalingModel model, int batch) => string.Join('\n', [
        $"| ranks | all-reduce, ms | step, ms | throughput | {Columns(noise => $"as fast, noise {noise}")} |",
        $"|---|---|---|---|{string.Concat(NoiseScales.Select(_ => "---|"))}",
        .. Ranks.Select(ranks => string.Create(CultureInfo.InvariantCulture, $"| {ranks} | {model.AllReduce(ranks):0.000} | "
            + $"{model.Step(ranks):0.00} | {model.Throughput(ranks):0.00} × | ")
            + Columns(noise => string.Create(CultureInfo.InvariantCulture, $"{model.Speedup(ranks, batch, noise):0.0} ×")) + " |"),
    ]);

    private static string Columns(Func<double, string> text) => string.Join(" | ", NoiseScales.Select(text));

    private static LineChart Chart(ScalingModel model, int batch)
    {
        double[] ranks = [.. Ranks.Select(count => (double)count)];
        return new LineChart
        {
            Title = "How many times as fast as one rank (predicted)",
            XTitle = "ranks",
            YTitle = "times",
            LogX = true,
            LogY = true,
            Series =
            [
                ChartSeries.Of("subjects, pictures", ranks, Ranks.Select(model.Throughput)),
                .. NoiseScales.Select(noise => ChartSeries.Of(
                    $"one LoRA, noise {noise}", ranks, Ranks.Select(count => model.Speedup(count, batch, noise)))),
            ],
        };
    }

    private sealed record Flags
    {
        private const string Group = "What is predicted";

        [Flag(Group, "Time of one rank's step, in ms: 31.0 is a LoRA's at 512² on an H200, 177 the recipe's.", Minimum = 0.001)]
        public double ComputeMs { get; init; } = 31.0;

        [Flag(Group, "Size of all gradients in MB: 16 is a LoRA of rank 4 with both CLIP encoders.", Minimum = 0.001)]
        public double GradientMb { get; init; } = 16;

        [Flag(Group, "Pictures of one rank's step.", Minimum = 1)]
        public int TrainBatchSize { get; init; } = 1;

        [Flag(Group, "A PNG for the plot.", Placeholder = "FILE")]
        public string? Output { get; init; }
    }
}
