using System.CommandLine;
using System.Globalization;
using System.Reflection;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Cli;

/// <summary><c>bench full-size</c>: time and memory of Stable Diffusion 3.5-medium's work, with random weights.</summary>
internal static class FullSizeBench
{
    public static Command Create(Session session)
    {
        var verb = new Command("full-size", "Times forwards, LoRA steps, whole pictures and decoding of Stable Diffusion 3.5-medium at its real size, with random weights: no model is needed.");
        var device = new Option<string>("--device") { HelpName = "DEVICE", Description = "auto (CUDA where there is one), cpu, cuda or cuda:N.", DefaultValueFactory = _ => "auto" };
        var dtype = new Option<string>("--dtype") { HelpName = "fp32|fp16|bf16", Description = "The precision to compute in.", DefaultValueFactory = _ => "bf16" };
        var repeats = new Option<int>("--repeats") { HelpName = "N", Description = "Timed repeats of a row.", DefaultValueFactory = _ => 10 };
        var graph = new Option<bool>("--cuda_graph") { Description = "Record training steps and replay them (CUDA only)." };
        var tiny = new Option<bool>("--tiny") { Description = "A tiny model in float32 instead: shows that the rows run, in seconds, on a processor too." };
        var json = new Option<string?>("--json") { HelpName = "FILE", Description = "Write the figures there too, with what they were measured on." };
        Option[] all = [device, dtype, repeats, graph, tiny, json];
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
            Run(options with { Repeats = result.GetValue(repeats), CudaGraph = result.GetValue(graph) }, result.GetValue(json), session);
            return ExitCode.Success;
        });
        return verb;
    }

    private static void Run(FullSizeBenchmarkOptions options, string? json, Session session)
    {
        var rows = new FullSizeBenchmark(options, work => session.Error.WriteLine($"measuring: {work}")).Run(session.Cancellation);
        session.Output.WriteLine($"{options.Model.Name}, {options.Dtype}, {Place(options.Device)}; medians, warm; peak memory over what was in use before");
        foreach (var row in rows)
        {
            var figures = row.Milliseconds is { } time
                ? string.Create(CultureInfo.InvariantCulture, $"{time,10:0.0} ms  {ByteSize.Text(row.PeakBytes),10}")
                : row.Failure;
            session.Output.WriteLine($"{row.Work,-80}{figures}");
        }

        if (json is not null)
            JsonFile.Write(json, Record(options, rows));
    }

    private static object Record(FullSizeBenchmarkOptions options, IReadOnlyList<BenchmarkRow> rows)
    {
        var report = SystemReport.Collect();
        return new
        {
            date = DateTimeOffset.UtcNow,
            // The version carries the commit that the program was built from.
            lab = typeof(FullSizeBench).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            report.System,
            report.DotNet,
            libtorch = report.LibTorch,
            device = Place(options.Device),
            driver = GpuMemory.DriverVersion(),
            model = options.Model.Name,
            dtype = options.Dtype.ToString(),
            options.CudaGraph,
            options.WarmUps,
            rows,
        };
    }

    private static string Place(Device device) =>
        device.type == TorchSharp.DeviceType.CUDA ? GpuMemory.Read(Math.Max(device.index, 0))?.Name ?? device.ToString() : "the processor";
}
