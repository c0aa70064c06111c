using System.Text.Json;
using Dreambooth.Lab.Bench;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Bench;

public sealed class PrecisionBenchTests
{
    [Fact]
    public void Run_Tiny_PassesAndWritesBothParts()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "precision.jsonl");
        using var output = new StringWriter();
        var code = LabCommandLine.Run(
            ["precision", "--tiny", "--device=cpu", $"--json={path}"],
            new Session(output, TextWriter.Null, IsInteractive: false, CancellationToken.None), BenchCommandLine.Create);
        Assert.True(code == 0, output.ToString());
        var (forward, curve) = (Result(path, 0), Result(path, 1));
        Assert.InRange(forward.GetProperty("relative_error").GetDouble(), 1e-4, 1.5e-2);
        Assert.InRange(forward.GetProperty("output_deviation").GetDouble(), 0.1, 5);
        Assert.Equal(12, curve.GetProperty("float32").GetArrayLength());
        Assert.InRange(curve.GetProperty("mean_difference").GetDouble(), 1e-6, curve.GetProperty("mean_of_other_seed").GetDouble());
    }

    private static JsonElement Result(string path, int line) =>
        JsonDocument.Parse(File.ReadLines(path).ElementAt(line)).RootElement.GetProperty("result");
}
