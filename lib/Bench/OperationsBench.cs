using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench operations</c>: the pieces of a transformer block, each by itself, and other ways to compute them.</summary>
internal static class OperationsBench
{
    // Generation at 1024 and 512 pixels with guidance, training at 512.
    private static readonly (int Rows, int ImageTokens, int TextTokens)[] Shapes = [(2, 4096, 333), (8, 4096, 333), (2, 1024, 154)];
    private static readonly (int Rows, int ImageTokens, int TextTokens)[] TinyShapes = [(2, 16, 5)];

    // The decoder's wide places, for a picture of 1024 pixels.
    private static readonly (int Channels, int Side)[] Places = [(512, 128), (512, 256), (512, 512), (256, 1024), (128, 1024)];
    private static readonly (int Channels, int Side)[] TinyPlaces = [(8, 8)];

    public static Command Create(Session session)
    {
        return BenchFlags.Verb<Flags>(
            "operations",
            "Times products, attention, norms and additions of Stable Diffusion 3.5-medium's blocks, and the "
            + "pieces of its autoencoder, beside "
            + "other ways to compute the same.",
            flags => Run(flags, session));
    }

    private static int Run(Flags flags, Session session)
    {
        var place = PipelineOptions.Parse(flags.Device, flags.Dtype);
        var small = flags.Tiny;
        var benchmark = new OperationBenchmark(place.Device, place.Dtype, small ? 2 : 24, small ? 2 : 20);
        var record = new BenchRecord(flags.Json, "operations", place.Device);
        var figures = benchmark.Run(small ? TinyShapes : Shapes, session.Cancellation)
            .Concat(benchmark.RunAutoencoder(small ? TinyPlaces : Places, session.Cancellation));
        foreach (var figure in figures)
        {
            record.Add(new { dtype = place.Dtype.ToString(), result = figure });
            session.Output.WriteLine(Line(figure));
        }

        return ExitCode.Success;
    }

    private static string Line(OperationFigure figure) => figure.Milliseconds is { } time
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{figure.Shape,-18} {figure.Operation,-56}{time,10:0.0000} ms{figure.InputGigabytesPerSecond,9:0} "
            + $"GB/s{(figure.TeraflopPerSecond > 0 ? $"{figure.TeraflopPerSecond,8:0} TFLOP/s" : string.Empty)}")
        : $"{figure.Shape,-18} {figure.Operation,-56}{figure.Failure}";

    private sealed record Flags : BenchFlags
    {
        [Flag(Group, "The precision to compute in.", Choices = ["fp32", "fp16", "bf16"])]
        public string Dtype { get; init; } = "bf16";
    }
}
