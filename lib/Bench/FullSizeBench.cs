using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench full-size</c>: time and memory of Stable Diffusion 3.5-medium's work, with random weights.</summary>
internal static class FullSizeBench
{
    /// <summary>The rows, in the order in which they are measured.</summary>
    public static IReadOnlyList<string> Rows { get; } = [.. FullSizeBenchmark.Names, .. StartBench.Names];

    public static Command Create(Session session)
    {
        var verb = new Command("full-size", "Times forwards, LoRA steps, whole pictures, decoding and the program's start on Stable Diffusion 3.5-medium at its real size, with random weights: no model is needed.");
        var device = new Option<string>("--device") { HelpName = "DEVICE", Description = "auto (CUDA where there is one), cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };
        var dtype = new Option<string>("--dtype") { HelpName = "fp32|fp16|bf16", Description = "The precision to compute in.", DefaultValueFactory = _ => "bf16" };
        var repeats = new Option<int>("--repeats") { HelpName = "N", Description = "Timed repeats of a row.", DefaultValueFactory = _ => 10 };
        var rows = new Option<string?>("--rows") { HelpName = "NAMES", Description = $"The rows to measure, separated by commas: {string.Join(", ", Rows)}." };
        var graph = new Option<bool>("--cuda_graph") { Description = "Record forwards and training steps and replay them (CUDA only)." };
        var tiny = new Option<bool>("--tiny") { Description = "A tiny model in float32 instead: shows that the rows run, in seconds, on a processor too." };
        var folder = new Option<string?>("--model_folder") { HelpName = "FOLDER", Description = "Where the rows that read a model (pictures-balanced, whole processes) find it or write it (16 GB), which stays; without it, a temporary folder." };
        var further = new Option<string?>("--generate_flags") { HelpName = "TEXT", Description = "Further flags of generate for the rows of whole processes." };
        var json = new Option<string?>("--json") { HelpName = "FILE", Description = "Add every row to this file as it is done: a line of JSON with what it was measured on." };
        Option[] all = [device, dtype, repeats, rows, graph, tiny, folder, further, json];
        foreach (var option in all)
            verb.Options.Add(option);
        verb.SetAction(result =>
        {
            if (result.GetValue(repeats) < 1)
                throw new UsageException($"--repeats is {result.GetValue(repeats)}; valid is at least 1.");
            var place = PipelineOptions.Parse(result.GetValue(device)!, result.GetValue(dtype)!);
            if (!result.GetValue(tiny) && place.Device.type != TorchSharp.DeviceType.CUDA)
                throw new LabException("bench full-size needs a CUDA device: the real model takes hours on a processor. --tiny runs every row on a small model.");
            var options = result.GetValue(tiny)
                ? FullSizeBenchmarkOptions.Tiny with { Device = place.Device }
                : new FullSizeBenchmarkOptions { Device = place.Device, Dtype = place.Dtype };
            using var starts = new StartBench(options, result.GetValue(folder), LabLaunch.Program, result.GetValue(further)?.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            Run(options with { Repeats = result.GetValue(repeats), CudaGraph = result.GetValue(graph), ModelFolder = starts.ModelFolder }, Chosen(result.GetValue(rows)), starts, result.GetValue(json), session);
            return ExitCode.Success;
        });
        return verb;
    }

    private static IReadOnlyList<string> Chosen(string? names)
    {
        if (names is null)
            return Rows;
        var chosen = names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var wrong = chosen.Except(Rows).ToList();
        return chosen.Length > 0 && wrong.Count == 0 ? chosen : throw new UsageException($"--rows is '{names}'; valid are {string.Join(", ", Rows)}, separated by commas.");
    }

    private static void Run(FullSizeBenchmarkOptions options, IReadOnlyList<string> names, StartBench starts, string? json, Session session)
    {
        var record = new BenchRecord(json, "full-size", options.Device);
        session.Output.WriteLine($"{options.Model.Name}, {options.Dtype}, {BenchRecord.Place(options.Device)}; medians, warm; peak memory over what was in use before, then what tensors held where it is counted");
        void Show(BenchmarkRow row)
        {
            record.Add(new { model = options.Model.Name, dtype = options.Dtype.ToString(), options.CudaGraph, options.WarmUps, row = row.Name, result = row });
            session.Output.WriteLine(Line(row));
            session.Output.Flush();
        }

        var measured = names.Where(FullSizeBenchmark.Names.Contains).ToList();
        if (measured.Count > 0)
            new FullSizeBenchmark(options with { Rows = measured }, work => session.Error.WriteLine($"measuring: {work}")).Run(Show, session.Cancellation);
        foreach (var name in names.Where(StartBench.Names.Contains))
        {
            session.Error.WriteLine($"measuring: {name}");
            Show(starts.Run(name, session.Cancellation));
        }
    }

    private static string Line(BenchmarkRow row)
    {
        var allocated = row.AllocatedPeak is { } bytes ? $"  {ByteSize.Text(bytes),10} allocated" : string.Empty;
        var figures = row.Milliseconds is { } time
            ? string.Create(CultureInfo.InvariantCulture, $"{time,10:0.0} ms  {ByteSize.Text(row.Peak),10}{allocated}{(row.Recorded ? "  recorded" : string.Empty)}")
            : "  " + row.Failure;
        return $"{row.Work,-80}{figures}";
    }
}
