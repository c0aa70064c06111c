using System.Text.Json;
using Dreambooth.Lab.Bench;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Bench;

public sealed class MemoryBenchTests
{
    [Fact]
    public void Run_Tiny_MeasuresEveryPhaseAndGoesOnWhereItStopped()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "memory.jsonl");
        Assert.Equal(0, Bench("--cases=draw", $"--json={path}").Code);
        File.AppendAllText(path, "{\"case\": \"train-cl");
        File.AppendAllText(path, "\n");
        var (code, output) = Bench($"--json={path}");
        Assert.True(code == 0, output);
        Assert.DoesNotContain("draw  ", output, StringComparison.Ordinal);
        var rows = File.ReadLines(path).Where(line => line.EndsWith('}')).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(["draw", "train-clip", "train-checkpointed"], rows.Select(row => row.GetProperty("case").GetString()));
        Assert.All(rows, row => Assert.Equal(JsonValueKind.Null, row.GetProperty("result").GetProperty("failure").ValueKind));
        Assert.Equal(["load", "encode", "sample", "decode"], Phases(rows[0]));
        Assert.Equal(["load", "encode", "cache", "step", "sample", "decode"], Phases(rows[1]));
        Assert.All(rows, row => Assert.True(row.GetProperty("result").GetProperty("measured").GetInt64() > 0));
    }

    [Fact]
    public void FullSize_Cases_CoverWhatDecidesMemory()
    {
        var settings = CalibrationCase.FullSize.Select(test => test.Settings).ToList();
        Assert.True(settings.Count >= 12);
        Assert.Equal(settings.Count, CalibrationCase.FullSize.Select(test => test.Name).Distinct().Count());
        Assert.Superset(new HashSet<int> { 512, 768, 1024 }, settings.Select(each => each.Resolution).ToHashSet());
        Assert.Superset(new HashSet<int> { 1, 2, 4, 8 }, settings.Select(each => each.TrainBatchSize).ToHashSet());
        Assert.Equal(2, settings.Select(each => each.Dtype).Distinct().Count());
        Assert.Equal(2, settings.Select(each => each.GradientCheckpointing).Distinct().Count());
        Assert.All(settings, each => each.Validate());
    }

    private static (int Code, string Output) Bench(params string[] flags)
    {
        using var output = new StringWriter();
        var code = LabCommandLine.Run(
            ["memory", "--tiny", "--device=cpu", .. flags], new Session(output, output, IsInteractive: false, CancellationToken.None),
            BenchCommandLine.Create);
        return (code, output.ToString());
    }

    private static IEnumerable<string?> Phases(JsonElement row) =>
        row.GetProperty("result").GetProperty("phases").EnumerateArray().Select(phase => phase.GetProperty("phase").GetString());
}
