using System.Text.Json;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class RunsVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RunsVerbTests()
    {
        Write("one", 4, scored: false);
        Write("two", 8, scored: true);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Runs_AFolder_ListsItsTrainings()
    {
        var (code, output, error) = Run("runs", _folder.Path);
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"one +20\d\d-\S+ \S+ +interrupted +3/9 +0\.5000 +a photo of gmc cat +4 ", output);
        Assert.Matches(@"two .* dino 0\.750  \(validation at step 3\)", output);
    }

    [Fact]
    public void Runs_EvaluatedLora_TellsTheEvaluationsScores()
    {
        var evaluation = Directory.CreateDirectory(Path.Combine(_folder.Path, "evaluation")).FullName;
        var lora = Path.Combine(_folder.Path, "one", "checkpoint-2");
        string Set(string name, string of, double dino) =>
            FormattableString.Invariant($$"""{"name": "{{name}}", {{of}}"means": {"dino": {"mean": {{dino}} } } }""");
        var ofLora = $"\"lora\": \"{lora}\", ";
        File.WriteAllText(
            Path.Combine(evaluation, "summary.json"),
            """{"judge": {"name": "J"}, "suggested": "step 2 × 0.8", "sets": ["""
            + $"{Set("step 1 × 1", ofLora, 0.1)}, {Set("step 2 × 0.8", ofLora, 0.9)}, {Set("without", string.Empty, 0.2)}]}}");
        Assert.Matches(@"one .* dino 0\.900  \(step 2 × 0\.8\)", Run("runs", _folder.Path).Output);
        using var json = JsonDocument.Parse(Run("runs", _folder.Path, "--json").Output);
        var one = json.RootElement[0];
        Assert.Equal(("interrupted", 3, 4), (
            one.GetProperty("state").GetString(), one.GetProperty("steps").GetInt32(), one.GetProperty("rank").GetInt32()));
        Assert.Equal("J", one.GetProperty("scores").GetProperty("judge").GetString());
    }

    [Fact]
    public void Diff_TwoTrainings_TellsOptionsAndFigures()
    {
        string one = Path.Combine(_folder.Path, "one"), two = Path.Combine(_folder.Path, "two");
        var (code, output, error) = Run("runs", "diff", one, two);
        Assert.Equal((1, ""), (code, error));
        Assert.Matches(@"rank +4 +8", output);
        Assert.DoesNotContain("output_dir", output, StringComparison.Ordinal);
        Assert.Contains("data: not known", output, StringComparison.Ordinal);
        Assert.Matches(@"dino +– +0\.75", output);
        Assert.Equal(0, Run("runs", "diff", one, one).Code);
        using var json = JsonDocument.Parse(Run("runs", "diff", one, two, "--json").Output);
        Assert.Equal("rank", json.RootElement.GetProperty("recipe")[0].GetProperty("name").GetString());
    }

    [Fact]
    public void Runs_FoldersThatAreNone_AreErrors()
    {
        Assert.Contains("There is no folder", Run("runs", Path.Combine(_folder.Path, "nowhere")).Error, StringComparison.Ordinal);
        Assert.Contains("is no training's output folder", Run("runs", "diff", _folder.Path, _folder.Path).Error, StringComparison.Ordinal);
        var empty = Directory.CreateDirectory(Path.Combine(_folder.Path, "empty")).FullName;
        Assert.Contains("There is no training in ", Run("runs", empty).Output, StringComparison.Ordinal);
    }

    private void Write(string name, int rank, bool scored)
    {
        var config = new DreamBoothConfig
        {
            PretrainedModelNameOrPath = "model",
            InstanceDataDir = "photos",
            InstancePrompt = "a photo of gmc cat",
            Rank = rank,
            MaxTrainSteps = 9,
            OutputDir = Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName,
        };
        File.WriteAllText(Path.Combine(config.OutputDir, "recipe.json"), config.ToJson());
        using var log = StepLog.Open(config.OutputDir);
        for (var step = 1; step <= 3; step++)
        {
            log.Append(new StepRecord
            {
                Step = step,
                Epoch = 0,
                Loss = 0.25 * step,
                InstanceLoss = 0.25 * step,
                LearningRate = 1,
                GradNorm = 1,
                Seconds = 1,
                ImagesPerSecond = 1,
                Scores = scored ? new Dictionary<string, double> { ["dino"] = 0.25 * step } : null,
            });
        }
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(arguments, new Session(output, error, false, default));
        return (code, output.ToString(), error.ToString());
    }
}
