using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench full-size</c>: time and memory of Stable Diffusion 3.5-medium's work, with random weights.</summary>
internal static class FullSizeBench
{
    private const string Large = "large";

    /// <summary>The rows, in the order in which they are measured.</summary>
    public static IReadOnlyList<string> Rows { get; } = [.. FullSizeBenchmark.Names, .. StartBench.Names];

    public static Command Create(Session session)
    {
        return BenchFlags.Verb<Flags>(
            "full-size",
            "Times forwards, LoRA steps, whole pictures, decoding and the program's start on Stable Diffusion 3.5 at its real size, "
            + $"with random weights: no model is needed. Rows: {string.Join(", ", Rows)}.",
            flags => RankedRun.Do(
                RankEnvironment.Read(), flags with { Json = null, ModelFolder = null } + string.Empty, flags.Device, session,
                (ranks, shown) => Run(flags, ranks, shown)));
    }

    private static int Run(Flags flags, Rendezvous? ranks, Session session)
    {
        var place = PipelineOptions.Parse(flags.Device, flags.Dtype);
        if (!flags.Tiny && place.Device.type != TorchSharp.DeviceType.CUDA)
        {
            throw new LabException(
                "bench full-size needs a CUDA device: the real model takes hours on a processor. --tiny runs every row on a small model.");
        }

        var options = flags.Tiny
            ? FullSizeBenchmarkOptions.Tiny with { Device = place.Device }
            : new FullSizeBenchmarkOptions
            {
                Model = flags.Model == Large ? ModelArchitecture.Of(SingleFilePreset.Sd35Large) : ModelArchitecture.Sd35Medium,
                Device = place.Device,
                Dtype = place.Dtype,
            };
        var further = flags.GenerateFlags?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var starts = new StartBench(options, flags.ModelFolder, LabLaunch.Program, further);
        using var collective = ranks is null ? null : ICollective.Open(ranks, place.Device);
        options = options with
        {
            Repeats = flags.Repeats,
            CudaGraph = flags.CudaGraph,
            ModelFolder = starts.ModelFolder,
            Collective = collective,
        };
        Run(options, Chosen(flags.Rows, ranks), starts, ranks?.IsFirst == false ? null : flags.Json, session);
        ranks?.Barrier();
        return ExitCode.Success;
    }

    // Several ranks measure what each has for itself: training steps and their sum, forwards, pictures.
    private static IReadOnlyList<string> Chosen(string? names, Rendezvous? ranks)
    {
        var valid = ranks is null ? Rows : [.. FullSizeBenchmark.Names, FullSizeBenchmark.AllReduce];
        if (names is null)
            return valid;
        var chosen = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var wrong = chosen.Except(valid).ToList();
        return chosen.Length > 0 && wrong.Count == 0
            ? chosen
            : throw new UsageException($"--rows is '{names}'; valid are {string.Join(", ", valid)}, separated by commas.");
    }

    private static void Run(FullSizeBenchmarkOptions options, IReadOnlyList<string> names, StartBench starts, string? json, Session session)
    {
        var record = new BenchRecord(json, "full-size", options.Device);
        session.Output.WriteLine(
            $"{options.Model.Name}, {options.Dtype}, {BenchRecord.Place(options.Device)}{Ranks(options)}; medians, warm; peak memory over "
            + "what was in use before, then what tensors held where it is counted");
        void Show(BenchmarkRow row)
        {
            record.Add(
                new
                {
                    model = options.Model.Name,
                    dtype = options.Dtype.ToString(),
                    options.CudaGraph,
                    options.WarmUps,
                    ranks = options.Collective?.Ranks.Count ?? 1,
                    row = row.Name,
                    result = row,
                });
            session.Output.WriteLine(Line(row));
            session.Output.Flush();
        }

        var measured = names.Except(StartBench.Names).ToList();
        if (measured.Count > 0)
            new FullSizeBenchmark(
                options with { Rows = measured }, work => session.Error.WriteLine($"measuring: {work}")).Run(Show, session.Cancellation);
        foreach (var name in names.Where(StartBench.Names.Contains))
        {
            session.Error.WriteLine($"measuring: {name}");
            Show(starts.Run(name, session.Cancellation));
        }
    }

    private static string Ranks(FullSizeBenchmarkOptions options) =>
        options.Collective is { } collective ? $", rank 0 of {collective.Ranks.Count}" : string.Empty;

    private static string Line(BenchmarkRow row)
    {
        var allocated = row.AllocatedPeak is { } bytes ? $"  {ByteSize.Text(bytes),10} allocated" : string.Empty;
        var figures = row.Milliseconds is { } time
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{time,10:0.0} ms  {ByteSize.Text(row.Peak),10}{allocated}{(row.Recorded ? "  recorded" : string.Empty)}")
            : "  " + row.Failure;
        return $"{row.Work,-80}{figures}";
    }

    private sealed record Flags : BenchFlags
    {
        [Flag(Group, "The sizes of Stable Diffusion 3.5-medium, or of 3.5-large.", Choices = ["medium", Large])]
        public string Model { get; init; } = "medium";

        [Flag(Group, "The precision to compute in.", Choices = ["fp32", "fp16", "bf16"])]
        public string Dtype { get; init; } = "bf16";

        [Flag(Group, "Timed repeats of a row.", Minimum = 1)]
        public int Repeats { get; init; } = 10;

        [Flag(Group, "The rows to measure, separated by commas.", Placeholder = "NAMES", DefaultText = "all")]
        public string? Rows { get; init; }

        [Flag(Group, "Capture forwards and training steps as CUDA graphs and replay them (CUDA only).")]
        public bool CudaGraph { get; init; }

        [Flag(Group,
            "Where the rows that read a model (pictures-balanced, whole processes) find it or write it (16 GB, large 26), which stays.",
            Placeholder = "FOLDER", DefaultText = "a temporary folder")]
        public string? ModelFolder { get; init; }

        [Flag(Group, "Further flags of generate for the rows of whole processes.")]
        public string? GenerateFlags { get; init; }
    }
}
