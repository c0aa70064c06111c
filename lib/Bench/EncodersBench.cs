using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench encoders</c>: pictures a second from PNG files to the vectors of DINO and CLIP, and where the time goes.</summary>
internal static class EncodersBench
{
    public static Command Create(Session session) => BenchFlags.Verb<Flags>(
        "encoders",
        "Reads PNG pictures, prepares them and encodes them with DINO ViT-S/16 and CLIP ViT-B/32 of random weights: each part by itself, "
        + "then all with reading and encoding at once.",
        flags => Run(flags, session));

    private static int Run(Flags flags, Session session)
    {
        var place = PipelineOptions.Parse(flags.Device, flags.Dtype);
        var record = new BenchRecord(flags.Json, "encoders", place.Device);
        var sizes = flags.Tiny ? EncoderSizes.Tiny : EncoderSizes.Published;
        var folder = flags.Folder ?? Directory.CreateTempSubdirectory("lab-bench-").FullName;
        try
        {
            var files = EncodersBenchmark.WritePictures(Path.Combine(folder, "pictures"), flags.Pictures, flags.Size);
            if (flags.Folder is not null)
                PreparationSample.Write(folder, sizes);
            using var benchmark = new EncodersBenchmark(files, sizes, flags.BatchSize, flags.Workers, place.Device, place.Dtype);
            foreach (var figure in benchmark.Run(session.Cancellation))
            {
                record.Add(new
                {
                    dtype = place.Dtype.ToString(),
                    pictures = flags.Pictures,
                    size = flags.Size,
                    workers = flags.Workers,
                    batch_size = flags.BatchSize,
                    result = figure,
                });
                session.Output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{figure.Part,-44}{figure.Seconds,9:0.000} s{figure.Pictures / figure.Seconds,10:0.0} pictures/s"));
            }

            return ExitCode.Success;
        }
        finally
        {
            if (flags.Folder is null)
                Directory.Delete(folder, recursive: true);
        }
    }

    private sealed record Flags : BenchFlags
    {
        [Flag(Group, "How many PNG pictures.", Minimum = 1)]
        public int Pictures { get; init; } = 64;

        [Flag(Group, "Their width and height in pixels.", Minimum = 32, Maximum = 1024)]
        public int Size { get; init; } = 1024;

        [Flag(Group, "Pictures encoded at once.", Minimum = 1)]
        public int BatchSize { get; init; } = 32;

        [Flag(Group, "Threads that read and prepare pictures.", Minimum = 1)]
        public int Workers { get; init; } = Environment.ProcessorCount;

        [Flag(Group, "Keep the pictures here, with the encoders' configs and the pixel values of pictures of odd sizes, for "
            + "tests/benchmarks/encoders.py and preparation.py. Without it, a temporary folder.", Placeholder = "DIR")]
        public string? Folder { get; init; }

        [Flag(Group, "The precision to encode in.", Choices = ["fp32", "fp16", "bf16"])]
        public string Dtype { get; init; } = "fp32";
    }
}
