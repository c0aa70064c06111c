using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class SweepStudyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-study-").FullName;

    private StudyConfig Config => new()
    {
        Model = Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini"),
        Lora = Path.Combine(_folder, "lora.safetensors"),
        Device = "cpu",
        Steps = 1,
        Prompts = 2,
        Seeds = [0],
        BatchSize = 2,
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_Twice_DrawsOnceAndKeepsRecordsAndTable()
    {
        SaveLora();
        using var study = SweepStudy.Open(
            Config, Path.Combine(_folder, "out"),
            new StubJudge("stub", (_, image) => new Dictionary<string, double> { ["width"] = image.Width }));
        var axes = study.Axes(["a cat", "a dog", "a third one"]) with { Loras = [null, study.Lora(0.5)], Guidances = [1] };
        var first = study.Run("before: after?", axes);
        Assert.Equal((4, 4, 128), (first.Results.Count, first.Made, first.Means["width"]));
        Assert.Equal(Path.Combine(_folder, "out", "before_ after_"), first.Folder);
        Assert.All(first.Results, result => Assert.True(File.Exists(first.PathOf(result))));
        Assert.Equal(5, File.ReadAllLines(Path.Combine(first.Folder, SweepTable.FileName)).Length);
        Assert.Equal(["a cat", "a cat", "a dog", "a dog"], SweepLog.Read(first.Folder).Select(record => record.Item.Prompt));
        var again = study.Run("before: after?", axes with { Seeds = [0, 1] });
        Assert.Equal((8, 6), (again.Results.Count, again.Made));
        Assert.Equal(
            ["after", "after", "after", "after", "before"],
            again.At(SweepAxis.BeforeAfter, "after", "before", "after").Results.Take(5)
                .Select(result => SweepAxis.BeforeAfter.LabelOf(result.Item)));
        Assert.Equal(2, again.Where(result => result.Item is { Lora: null, Seed: 1 }).Results.Count);
    }

    [Fact]
    public void Open_NoLora_SaysWhereOneComesFrom()
    {
        var error = Assert.Throws<LabException>(() => SweepStudy.Open(Config, _folder));
        Assert.Contains(Config.Lora, error.Message, StringComparison.Ordinal);
        Assert.Contains("notebook 02", error.Message, StringComparison.Ordinal);
    }

    private void SaveLora()
    {
        using var pipeline = StableDiffusion3Pipeline.Load(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini"));
        var transformer = pipeline.LoraComponents.Single(component => component.Prefix == "transformer");
        using var adapter = LoraAdapter.Create(
            "test", [(transformer, new LoraConfig { TargetModules = LoraConfig.TransformerTargets })], 1, CPU, ScalarType.Float32);
        LoraFile.Save(Config.Lora, adapter);
    }
}
