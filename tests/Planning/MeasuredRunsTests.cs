using System.Text.Json.Nodes;
using Dreambooth.Lab.Bench;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class MeasuredRunsTests
{
    private const string H200 = "2026-11-28-h200";

    private static readonly MemoryPlanner s_planner = new(ModelArchitecture.Sd35Medium);
    private static readonly string s_file = Path.Combine(GoldenSet.RepositoryRoot, "tests", "benchmarks", "results", H200, "results.jsonl");

    // What the planner says of itself must stay true when it changes: the aim for every phase, and the figure that MemoryForecast.Note and
    // the README name.
    [Fact]
    public void Read_RunsOnAnH200_ArePredictedAsWellAsIsClaimed()
    {
        var measured = MeasuredRuns.Read(H200, s_planner);
        Assert.Equal("NVIDIA H200", measured.Device);
        Assert.Equal(
            CalibrationCase.FullSize.Select(test => test.Name).Order(StringComparer.Ordinal),
            measured.Runs.Select(run => run.Name).Order(StringComparer.Ordinal));
        Assert.All(measured.Runs, run => Assert.Equal(MeasuredRun.Allocated, run.Figure));
        Assert.All(
            measured.Runs.SelectMany(run => run.Phases), phase => Assert.InRange(phase.Ratio, 1 - MeasuredRuns.Aim, 1 + MeasuredRuns.Aim));
        Assert.InRange(Math.Abs(measured.Worst.Ratio - 1), 0, 0.035);
        Assert.Contains("17 runs", MemoryForecast.Note, StringComparison.Ordinal);
        Assert.Contains("3.5 %", MemoryForecast.Note, StringComparison.Ordinal);
        Assert.Equal(17, measured.Runs.Count);
    }

    // DoRA's step keeps less since it was measured, so its forecast is only checked not to be above.
    [Fact]
    public void Forecast_VariantsOfLora_AreAsFarFromPlainLoraAsMeasured()
    {
        var plain = new MemorySettings
        {
            TrainBatchSize = 2,
            WithPriorPreservation = false,
            TrainTextEncoder = false,
            Dtype = ScalarType.BFloat16,
        };
        var variants = new Dictionary<string, MemorySettings>
        {
            ["lora-step"] = plain,
            ["lora-step-loha"] = plain with { Variant = LoraVariant.Loha },
            ["lora-step-lokr"] = plain with { Variant = LoraVariant.Lokr },
            ["lora-step-dropout"] = plain with { LoraDropout = 0.1 },
            ["lora-step-bias"] = plain with { LoraBias = true },
            ["lora-step-dora"] = plain with { Variant = LoraVariant.Dora },
        };
        var path = Path.Combine(GoldenSet.RepositoryRoot, "tests", "benchmarks", "results", "2026-11-29-h200", "results.jsonl");
        var measured = File.ReadLines(path).Select(line => JsonNode.Parse(line)!)
            .Where(line => line["lab"]?.GetValue<string>().Contains("+aa74003", StringComparison.Ordinal) == true)
            .Where(line => line["row"] is not null && variants.ContainsKey(line["row"]!.GetValue<string>()))
            .ToDictionary(line => line["row"]!.GetValue<string>(), line => line["result"]!["peak"]!.GetValue<long>());
        Assert.Equal(variants.Keys.Order(), measured.Keys.Order());
        foreach (var (row, settings) in variants)
        {
            var predicted = s_planner.Forecast(settings).PeakOf("step")!.Value - s_planner.Forecast(plain).PeakOf("step")!.Value;
            var ratio = (double)(measured["lora-step"] + predicted) / measured[row];
            Assert.InRange(ratio, 1 - (MeasuredRuns.Aim / 2), 1 + (MeasuredRuns.Aim / 2));
        }
    }

    [Fact]
    public void Find_TheTutorialsWork_IsTheRunOfItsSettings()
    {
        var measured = MeasuredRuns.Read(H200, s_planner);
        Assert.Equal(
            ["draw-1024-b1-fp32", "train-512-b1-r4-fp32-clip", null],
            PublishedFigures.Tutorial.Select(row => measured.Find(row.Settings)?.Name));
        Assert.Equal("draw-512-b8-bf16", measured.Find(measured["draw-512-b8-bf16"].Settings)!.Name);
        Assert.Null(measured.Find(measured["draw-512-b8-bf16"].Settings with { SampleResolution = 256 }));
        Assert.Null(measured.Find(MemorySettings.TutorialTraining with { Rank = 5 }));
        Assert.Contains("draw-1024-b1-fp32", Assert.Throws<LabException>(() => measured["nothing"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FurtherKeysOtherKindsFailuresAndACutLine_TakesWhatWasMeasuredLast()
    {
        using var folder = new TemporaryFolder();
        var line = File.ReadLines(s_file).First(text => text.Contains("\"draw-768-b2-bf16\"", StringComparison.Ordinal));
        string[] lines =
        [
            """{"benchmark": "full-size", "row": "start", "result": {"name": "start"}}""",
            Changed(line, row => row["result"]!["phases"]![0]!["measured"] = 1),
            Changed(line, row => (row["result"]!["name"], row["result"]!["failure"]) = ("failed", "step: out of memory")),
            Changed(line, row => (row["later"], row["settings"]!["later"], row["result"]!["later"]) = (1, "x", new JsonObject())),
            line[..200],
        ];
        File.WriteAllLines(Path.Combine(folder.Path, "results.jsonl"), lines);
        var run = Assert.Single(MeasuredRuns.Read(folder.Path, s_planner).Runs);
        Assert.Equal("draw-768-b2-bf16", run.Name);
        Assert.Equal((2, 768, ScalarType.BFloat16), (run.Settings.SampleBatchSize, run.Settings.SampleResolution, run.Settings.Dtype));
        Assert.Equal(16_268_208_838, run.PeakOf("load"));
        Assert.Equal(17_033_222_985, run.Measured);
        Assert.Null(run.PeakOf("step"));
        Assert.Equal(s_planner.Forecast(run.Settings).PeakOf("decode"), run.Phases[^1].Predicted);
    }

    [Fact]
    public void Read_NothingOrHalfOfARun_SaysWhichFile()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(
            "bench memory", Assert.Throws<LabException>(() => MeasuredRuns.Read(folder.Path, s_planner)).Message, StringComparison.Ordinal);
        var path = Path.Combine(folder.Path, "results.jsonl");
        File.WriteAllText(path, """{"benchmark": "precision"}""");
        Assert.Contains(
            "no run", Assert.Throws<LabException>(() => MeasuredRuns.Read(folder.Path, s_planner)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, """{"benchmark": "memory", "case": "draw", "result": {"name": "draw", "phases": []}}""");
        Assert.Contains(
            "'draw'", Assert.Throws<LabException>(() => MeasuredRuns.Read(folder.Path, s_planner)).Message, StringComparison.Ordinal);
        File.WriteAllText(
            path, """{"benchmark": "memory", "case": "draw", "result": {"name": "draw", "phases": "many"}, "settings": {}}""");
        Assert.Contains(
            path, Assert.Throws<LabException>(() => MeasuredRuns.Read(folder.Path, s_planner)).Message, StringComparison.Ordinal);
    }

    private static string Changed(string line, Action<JsonNode> change)
    {
        var row = JsonNode.Parse(line)!;
        change(row);
        return row.ToJsonString();
    }
}
