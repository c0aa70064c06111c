using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench memory</c>: the planner's predictions beside measured runs with random weights.</summary>
internal static class MemoryBench
{
    public static Command Create(Session session)
    {
        return BenchFlags.Verb<Flags>(
            "memory",
            "Runs the phases of training and generation of Stable Diffusion 3.5-medium with random weights and compares peaks with what "
            + "memory predicts. Runs that the file of --json has are left out. "
            + $"Runs: {string.Join(", ", CalibrationCase.FullSize.Select(test => test.Name))}.",
            flags => Run(flags, session));
    }

    private static int Run(Flags flags, Session session)
    {
        var place = DeviceSelection.Parse(flags.Device);
        if (!flags.Tiny && place.type != TorchSharp.DeviceType.CUDA)
            throw new LabException(
                "bench memory needs a CUDA device: the real model takes hours on a processor. --tiny runs a small model.");
        var all = flags.Tiny ? CalibrationCase.Tiny : CalibrationCase.FullSize;
        var model = flags.Tiny ? FullSizeBenchmarkOptions.Tiny.Model : ModelArchitecture.Sd35Medium;
        Run(
            new MemoryCalibration(model, place), Chosen(flags.Cases, all, Done(flags.Json)), new BenchRecord(flags.Json, "memory", place),
            session);
        return ExitCode.Success;
    }

    private static List<CalibrationCase> Chosen(string? names, IReadOnlyList<CalibrationCase> all, HashSet<string> done)
    {
        var wanted = names?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            ?? [.. all.Select(test => test.Name)];
        var wrong = wanted.Except(all.Select(test => test.Name)).ToList();
        if (wrong.Count > 0)
            throw new UsageException($"--cases names '{wrong[0]}'; valid are {string.Join(", ", all.Select(test => test.Name))}.");
        return [.. all.Where(test => wanted.Contains(test.Name) && !done.Contains(test.Name))];
    }

    // Lines of an earlier run; a truncated last line is ignored.
    private static HashSet<string> Done(string? json)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in json is not null && File.Exists(json) ? File.ReadLines(json) : [])
        {
            if (JsonField.ParseLine(line, json!)?.Find("case")?.Text() is { } name)
                names.Add(name);
        }

        return names;
    }

    private static void Run(MemoryCalibration calibration, List<CalibrationCase> cases, BenchRecord record, Session session)
    {
        void Line(FormattableString text)
        {
            session.Output.WriteLine(text.ToString(CultureInfo.InvariantCulture));
            session.Output.Flush();
        }

        Line($"{"predicted / measured = ratio, the peak of each phase",-44}");
        var rows = new List<CalibrationRow>();
        foreach (var test in cases)
        {
            session.Cancellation.ThrowIfCancellationRequested();
            session.Error.WriteLine($"running: {test.Name}");
            var row = calibration.Run(test);
            rows.Add(row);
            record.Add(new { @case = row.Name, result = row, settings = test.Settings });
            var failure = row.Failure is null ? "" : "  " + row.Failure;
            var (predicted, measured) = (ByteSize.Text(row.Predicted), ByteSize.Text(row.Measured));
            Line($"{row.Name,-44}{predicted,10} / {measured,10} = {row.Ratio:0.000}  ({row.Figure}){failure}");
            foreach (var phase in row.Phases)
            {
                (predicted, measured) = (ByteSize.Text(phase.Predicted), ByteSize.Text(phase.Measured));
                var rest = FormattableString.Invariant($"device {ByteSize.Text(phase.Device)}, {phase.Seconds:0.0} s");
                Line($"    {phase.Phase,-40}{predicted,10} / {measured,10} = {phase.Ratio:0.000}  {rest}");
            }
        }

        if (rows.Where(row => row.Failure is null).MaxBy(row => Math.Abs(Math.Log(row.Ratio))) is { } worst)
            Line($"worst of {rows.Count(row => row.Failure is null)} runs: {worst.Name}, {worst.Ratio:0.000}");
    }

    private sealed record Flags : BenchFlags
    {
        [Flag(Group, "The runs, separated by commas.", Placeholder = "NAMES", DefaultText = "all")]
        public string? Cases { get; init; }
    }
}
