using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench precision</c>: bfloat16 beside float32 at full size.</summary>
internal static class PrecisionBench
{
    private static readonly string[] Parts = ["forward", "curve"];

    public static Command Create(Session session)
    {
        var verb = new Command("precision", "Compares bfloat16 with float32 on Stable Diffusion 3.5-medium at its real size with random weights: one forward, and the losses of a short LoRA training.");
        var device = new Option<string>("--device") { HelpName = "DEVICE", Description = "auto (CUDA where there is one), cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };
        var steps = new Option<int?>("--steps") { HelpName = "N", Description = "Optimizer steps of each training [default: 50]." };
        var parts = new Option<string>("--parts") { HelpName = "NAMES", Description = "What to compare: forward, curve, or both.", DefaultValueFactory = _ => string.Join(',', Parts) };
        var tiny = new Option<bool>("--tiny") { Description = "A tiny model instead: shows that the check runs, in seconds, on a processor too." };
        var json = new Option<string?>("--json") { HelpName = "FILE", Description = "Add every part to this file as it is done: a line of JSON with what it was measured on." };
        foreach (var option in (Option[])[device, steps, parts, tiny, json])
            verb.Options.Add(option);
        verb.SetAction(result =>
        {
            var place = DeviceSelection.Parse(result.GetValue(device)!);
            if (!result.GetValue(tiny) && place.type != TorchSharp.DeviceType.CUDA)
                throw new LabException("bench precision needs a CUDA device: the real model takes hours on a processor. --tiny compares on a small model.");
            var chosen = result.GetValue(parts)!.Split(',', StringSplitOptions.TrimEntries);
            if (chosen.Except(Parts).Any())
                throw new UsageException($"--parts is '{result.GetValue(parts)}'; valid are {string.Join(", ", Parts)}.");
            var options = (result.GetValue(tiny) ? PrecisionOptions.Tiny : new PrecisionOptions()) with { Device = place };
            if (result.GetValue(steps) is { } count)
                options = options with { Steps = count >= 5 ? count : throw new UsageException($"--steps is {count}; valid is at least 5.") };
            return Run(options, chosen, new BenchRecord(result.GetValue(json), "precision", place), session);
        });
        return verb;
    }

    private static int Run(PrecisionOptions options, string[] parts, BenchRecord record, Session session)
    {
        var check = new PrecisionCheck(options);
        var passed = true;
        void Line(FormattableString text) => session.Output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
        Line($"{options.Model.Name}, bfloat16 beside float32, {BenchRecord.Place(options.Device)}");
        if (parts.Contains("forward"))
        {
            var forward = check.Forward();
            record.Add(new { model = options.Model.Name, part = "forward", size = options.ForwardSize, limit = ForwardPrecision.Limit, result = forward });
            Line($"forward, {options.ForwardSize}×{options.ForwardSize}: relative error {forward.RelativeError:0.00000}, at most {ForwardPrecision.Limit} passes; deviation of the prediction {forward.OutputDeviation:0.000}: {Verdict(forward.Passed)}");
            passed &= forward.Passed;
        }

        if (parts.Contains("curve"))
        {
            var curve = check.Curve(name => session.Error.WriteLine($"training: {name}"), session.Cancellation);
            record.Add(new { model = options.Model.Name, part = "curve", size = options.TrainingSize, criterion = CurvePrecision.Criterion, result = curve });
            Line($"{curve.Float32.Count} steps of LoRA training, {options.TrainingSize}×{options.TrainingSize}, batch {options.BatchSize}; float32's loss falls by a factor of {curve.Fall:0.00}");
            Line($"  bf16 − fp32, relative: mean {curve.MeanDifference:0.00000}, most {curve.MaxDifference:0.00000}; another LoRA in fp32: mean {curve.MeanOfOtherLora:0.00000}; another seed: mean {curve.MeanOfOtherSeed:0.00000}: {Verdict(curve.Passed)}");
            Line($"  {CurvePrecision.Criterion}");
            passed &= curve.Passed;
        }

        return passed ? ExitCode.Success : ExitCode.Failure;
    }

    private static string Verdict(bool passed) => passed ? "passed" : "FAILED";
}
