using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;

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
            SafetensorsBenchmark.Write(small, count: 1, WarmUpMiB << 20);
            SafetensorsBenchmark.Measure(small);
            var path = file ?? Path.Combine(folder, "bench.safetensors");
            if (file is null)
                SafetensorsBenchmark.Write(path, sizeMiB / TensorMiB, TensorMiB << 20);
            var measured = SafetensorsBenchmark.Measure(path);
            var (bytes, resident) = (measured.TensorBytes, measured.ResidentBytesAfterTouch);
            session.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"tensors                    {bytes / MiB,10:F1} MiB"));
            session.Output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"open, before first touch   {measured.OpenMilliseconds,10:F1} ms"));
            session.Output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"read every byte            {measured.TouchMilliseconds,10:F1} ms"));
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

    private sealed record Flags
    {
        [Flag(
            "What is measured", "The checkpoint; without it, one of --size_mib is written to the temporary folder.", Placeholder = "FILE")]
        public string? File { get; init; }

        [Flag("What is measured", "Size of the written checkpoint in MiB.", Minimum = TensorMiB)]
        public int SizeMib { get; init; } = 1024;
    }
}
