using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench operations</c>: the pieces of a transformer block, each by itself, and other ways to compute them.</summary>
internal static class OperationsBench
{
    // Drawing 1024 and 512 pixels with guidance, training at 512.
    private static readonly (int Rows, int ImageTokens, int TextTokens)[] Shapes = [(2, 4096, 333), (8, 4096, 333), (2, 1024, 154)];
    private static readonly (int Rows, int ImageTokens, int TextTokens)[] TinyShapes = [(2, 16, 5)];

    // The decoder's wide places, for a picture of 1024 pixels.
    private static readonly (int Channels, int Side)[] Places = [(512, 128), (512, 256), (512, 512), (256, 1024), (128, 1024)];
    private static readonly (int Channels, int Side)[] TinyPlaces = [(8, 8)];

    public static Command Create(Session session)
    {
        var verb = new Command("operations", "Times products, attention, norms and additions of Stable Diffusion 3.5-medium's blocks, and the pieces of its autoencoder, beside other ways to compute the same.");
        var device = verb.AddText("--device", "DEVICE", "auto (CUDA where there is one), cpu, cuda or cuda:N.", "auto");
        var dtype = verb.AddText("--dtype", "fp32|fp16|bf16", "The precision to compute in.", "bf16");
        var tiny = verb.AddSwitch("--tiny", "Small shapes instead: shows that everything runs, on a processor too.");
        var json = verb.AddText("--json", "FILE", "Add every figure to this file as it is measured: a line of JSON with what it was measured on.", null);
        verb.SetAction(result =>
        {
            var place = PipelineOptions.Parse(result.GetValue(device)!, result.GetValue(dtype)!);
            var small = result.GetValue(tiny);
            var benchmark = new OperationBenchmark(place.Device, place.Dtype, small ? 2 : 24, small ? 2 : 20);
            var record = new BenchRecord(result.GetValue(json), "operations", place.Device);
            foreach (var figure in benchmark.Run(small ? TinyShapes : Shapes, session.Cancellation).Concat(benchmark.RunAutoencoder(small ? TinyPlaces : Places, session.Cancellation)))
            {
                record.Add(new { dtype = place.Dtype.ToString(), result = figure });
                session.Output.WriteLine(Line(figure));
            }

            return ExitCode.Success;
        });
        return verb;
    }

    private static string Line(OperationFigure figure) => figure.Milliseconds is { } time
        ? string.Create(CultureInfo.InvariantCulture, $"{figure.Shape,-18} {figure.Operation,-56}{time,10:0.0000} ms{figure.InputGigabytesPerSecond,9:0} GB/s{(figure.TeraflopPerSecond > 0 ? $"{figure.TeraflopPerSecond,8:0} TFLOP/s" : string.Empty)}")
        : $"{figure.Shape,-18} {figure.Operation,-56}{figure.Failure}";
}
