using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench safetensors</c>: how long opening takes and how much memory loading adds.</summary>
internal static class SafetensorsBench
{
    private const double MiB = 1 << 20;
    private const int WarmUpMiB = 1;
    private const int TensorMiB = 16;

    public static Command Create(Session session) => BenchFlags.Verb<Flags>(
        "safetensors",
        "Opens a checkpoint and loads it to the CPU: time before the first touch, resident memory after every byte was read.",
        flags =>
        {
            Run(flags.File, flags.SizeMib, session);
            return ExitCode.Success;
        });

    private static void Run(string? file, int sizeMiB, Session session)
    {
        var folder = Directory.CreateTempSubdirectory("lab-bench-").FullName;
        try
        {
            var small = Path.Combine(folder, "warm-up.safetensors");
            Write(small, WarmUpMiB, WarmUpMiB);
            Measure(small);
            var path = file ?? Path.Combine(folder, "bench.safetensors");
            if (file is null)
                Write(path, sizeMiB, TensorMiB);
            var (bytes, open, read, resident) = Measure(path);
            session.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"tensors                    {bytes / MiB,10:F1} MiB"));
            session.Output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"open, before first touch   {open.TotalMilliseconds,10:F1} ms"));
            session.Output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"read every byte            {read.TotalMilliseconds,10:F1} ms"));
            session.Output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"resident memory added      {resident / MiB,10:F1} MiB ({(double)resident / bytes:F3} of the tensors)"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Write(string path, int sizeMiB, int tensorMiB)
    {
        using var values = randn(tensorMiB * (1 << 20) / sizeof(float));
        SafetensorsWriter.Save(path, Enumerable.Range(0, sizeMiB / tensorMiB).Select(i => KeyValuePair.Create($"tensor.{i}", values)));
    }

    private static (long Bytes, TimeSpan Open, TimeSpan Read, long Resident) Measure(string path)
    {
        var before = ResidentBytes();
        var start = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        using var checkpoint = Checkpoint.Open(path);
        var tensors = checkpoint.Names.Select(name => checkpoint.Load(name)).ToArray();
        var open = Stopwatch.GetElapsedTime(start);

        start = Stopwatch.GetTimestamp();
        foreach (var tensor in tensors)
        {
            using var sum = tensor.sum();
        }

        return (tensors.Sum(tensor => tensor.numel() * tensor.element_size()), open, Stopwatch.GetElapsedTime(start),
            ResidentBytes() - before);
    }

    private static long ResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private sealed record Flags
    {
        [Flag(
            "What is measured", "The checkpoint; without it, one of --size_mib is written to the temporary folder.", Placeholder = "FILE")]
        public string? File { get; init; }

        [Flag("What is measured", "Size of the written checkpoint in MiB.", Minimum = TensorMiB)]
        public int SizeMib { get; init; } = 1024;
    }
}
