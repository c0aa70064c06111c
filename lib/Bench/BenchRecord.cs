using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// The file that a benchmark appends to: one line of JSON per result, with the machine. A line is written as soon as there is a result, so
/// that an interrupted run loses nothing.
/// </summary>
/// <param name="path">The file, or null for none.</param>
/// <param name="kind">Which benchmark.</param>
/// <param name="device">Where it computes.</param>
internal sealed class BenchRecord(string? path, string kind, Device device)
{
    private static readonly JsonSerializerOptions OneLine = new(JsonFile.Options) { WriteIndented = false };

    private readonly SystemReport _report = SystemReport.Collect();

    /// <summary>The device's product name.</summary>
    public static string Place(Device device) =>
        device.type == TorchSharp.DeviceType.CUDA ? GpuMemory.Read(device)?.Name ?? device.ToString() : "the processor";

    /// <summary>Adds a result.</summary>
    /// <param name="result">What is written beside what it was measured on.</param>
    public void Add(object result)
    {
        if (path is null)
            return;
        var line = new JsonObject
        {
            ["benchmark"] = kind,
            ["date"] = DateTimeOffset.UtcNow,
            // The version carries the commit that the program was built from.
            ["lab"] = typeof(BenchRecord).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            ["device"] = Place(device),
            ["driver"] = GpuMemory.DriverVersion(),
            ["libtorch"] = _report.LibTorch,
            ["dotnet"] = _report.DotNet,
            ["system"] = _report.System,
            ["allocator"] = Environment.GetEnvironmentVariable("PYTORCH_CUDA_ALLOC_CONF"),
        };
        foreach (var (key, value) in JsonSerializer.SerializeToNode(result, OneLine)!.AsObject())
            line[key] = value?.DeepClone();
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        File.AppendAllText(path, line.ToJsonString(OneLine) + "\n");
    }
}
