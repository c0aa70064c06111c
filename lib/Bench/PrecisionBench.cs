using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench precision</c>: bfloat16 beside float32 at full size.</summary>
internal static class PrecisionBench
{
    private static readonly string[] Parts = ["forward", "curve"];

    public static Command Create(Session session)
    {
        return BenchFlags.Verb<Flags>(
            "precision",
            "Compares bfloat16 with float32 on Stable Diffusion 3.5-medium at its real size with random weights: "
            + "one forward, and the losses "
            + "of a short LoRA training.",
            flags => Run(flags, session));
    }

    private static int Run(Flags flags, Session session)
    {
        var place = DeviceSelection.Parse(flags.Device);
        if (!flags.Tiny && place.type != TorchSharp.DeviceType.CUDA)
        {
            throw new LabException(
                "bench precision needs a CUDA device: the real model takes hours on a processor. --tiny compares on a small model.");
        }

        var chosen = flags.Parts.Split(',', StringSplitOptions.TrimEntries);
        if (chosen.Except(Parts).Any())
            throw new UsageException($"--parts is '{flags.Parts}'; valid are {string.Join(", ", Parts)}.");
        var options = (flags.Tiny ? PrecisionOptions.Tiny : new PrecisionOptions()) with { Device = place };
        options = options with { Steps = flags.Steps ?? options.Steps };
        return Run(options, chosen, new BenchRecord(flags.Json, "precision", place), session);
    }

    private static int Run(PrecisionOptions options, string[] parts, BenchRecord record, Session session)
    {
        var check = new PrecisionCheck(options);
        var passed = true;
        void Line(params FormattableString[] parts) =>
            session.Output.WriteLine(string.Concat(parts.Select(part => part.ToString(CultureInfo.InvariantCulture))));
        Line($"{options.Model.Name}, bfloat16 beside float32, {BenchRecord.Place(options.Device)}");
        if (parts.Contains("forward"))
        {
            var forward = check.Forward();
            record.Add(
                new
                {
                    model = options.Model.Name,
                    part = "forward",
                    size = options.ForwardSize,
                    limit = ForwardPrecision.Limit,
                    result = forward,
                });
            Line(
                $"forward, {options.ForwardSize}×{options.ForwardSize}: relative error {forward.RelativeError:0.00000}, ",
                $"at most {ForwardPrecision.Limit} passes; deviation of the prediction {forward.OutputDeviation:0.000}: ",
                $"{Verdict(forward.Passed)}");
            passed &= forward.Passed;
        }

        if (parts.Contains("curve"))
        {
            var curve = check.Curve(name => session.Error.WriteLine($"training: {name}"), session.Cancellation);
            record.Add(
                new
                {
                    model = options.Model.Name,
                    part = "curve",
                    size = options.TrainingSize,
                    criterion = CurvePrecision.Criterion,
                    result = curve,
                });
            Line(
                $"{curve.Float32.Count} steps of LoRA training, {options.TrainingSize}×{options.TrainingSize}, ",
                $"batch {options.BatchSize}; float32's loss falls by a factor of {curve.Fall:0.00}");
            Line(
                $"  bf16 − fp32, relative: mean {curve.MeanDifference:0.00000}, most {curve.MaxDifference:0.00000}; ",
                $"another LoRA in fp32: mean {curve.MeanOfOtherLora:0.00000}; another seed: mean {curve.MeanOfOtherSeed:0.00000}: ",
                $"{Verdict(curve.Passed)}");
            Line($"  {CurvePrecision.Criterion}");
            passed &= curve.Passed;
        }

        return passed ? ExitCode.Success : ExitCode.Failure;
    }

    private static string Verdict(bool passed) => passed ? "passed" : "FAILED";

    private sealed record Flags : BenchFlags
    {
        [Flag(Group, "Optimizer steps of each training.", Minimum = 5, DefaultText = "50; with --tiny 12")]
        public int? Steps { get; init; }

        [Flag(Group, "What to compare: forward, curve, or both.", Placeholder = "NAMES")]
        public string Parts { get; init; } = "forward,curve";
    }
}
