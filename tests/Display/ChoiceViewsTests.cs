using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Data;

namespace Dreambooth.Lab.Tests.Display;

public sealed class ChoiceViewsTests : IDisposable
{
    private const string Early = "run/checkpoint-20";

    private readonly PictureSamples _pictures = new();
    private readonly EvaluationChoice _choice;

    public ChoiceViewsTests() =>
        _choice = Choice(true, (null, 1, 0.5, 1), (Early, 1, 0.7, 0.9), ("run", 0.5, 0.8, 0.8), ("run", 1, 0.9, 0.4));

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Kept_Scored_IsTheSuggested() => Assert.Equal("final × 0.5", _choice.Kept().Name);

    [Fact]
    public void Kept_Unscored_IsTheEndAsTrained()
    {
        var choice = Choice(false, (null, 1, 0, 0), (Early, 1, 0, 0), ("run", 0.5, 0, 0), ("run", 1, 0, 0));
        Assert.Equal("final × 1", choice.Kept().Name);
        Assert.Throws<LabException>(() => Choice(false, (null, 1, 0, 0)).Kept());
    }

    [Fact]
    public void Rival_EndKept_IsTheNextOfTheEnd()
    {
        SubjectEvaluation early = _choice.Evaluations[1], half = _choice.Evaluations[2], final = _choice.Evaluations[3];
        Assert.Equal(final, _choice.Rival(early));
        Assert.Equal(half, _choice.Rival(final));
        var alone = Choice(true, (null, 1, 0.5, 1), ("run", 1, 0.9, 0.4));
        Assert.Throws<LabException>(() => alone.Rival(alone.Evaluations[1]));
    }

    [Fact]
    public void Blind_TwoKinds_TellsNothingBeforeTheEnd()
    {
        var rating = _choice.Evaluations[1].Blind(_choice.Evaluations[3]);
        Assert.DoesNotContain("step 20", rating.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("final × 1", rating.Choose("left").ToText(), StringComparison.Ordinal);
        var strange = _choice.Evaluations[3] with { Pictures = [_choice.Evaluations[3].Pictures[0] with { Seed = 7 }] };
        Assert.Throws<LabException>(() => _choice.Evaluations[1].Blind(strange));
    }

    [Fact]
    public void Neighbours_OneKind_StandsBetweenTheModelsAndTheTrainingPicture()
    {
        var grid = _choice.Neighbours(_choice.Evaluations[1], NearestPictures.In(_pictures.Folder));
        Assert.Equal(["1.00", "1.00", ""], grid.Rows.Select(row => Assert.Single(row)!.Caption));
        Assert.EndsWith("1.png", grid.Rows[2][0]!.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void CommandLine_Kept_NamesLoraAndScale() =>
        Assert.Contains("--lora_scale 0.5", _choice.Evaluations[2].CommandLine("m", "p"), StringComparison.Ordinal);

    [Fact]
    public void CommandLine_SamplingAndBlanks_AreGivenAndQuoted()
    {
        var kept = _choice.Evaluations[2] with { Lora = "/tmp/my cats/it's" };
        Assert.Equal(
            "dotnet run -- generate --model 'my models/sd3' \\\n    --lora '/tmp/my cats/it'\\''s' --lora_scale 0.5 \\\n    "
            + "--prompt \"a gmc cat\" --guidance 3.5 --num_steps 8 --height 96 --width 128",
            kept.CommandLine("my models/sd3", "a gmc cat", 3.5, 8, 96, 128));
        Assert.EndsWith("--prompt \"p\"", kept.CommandLine("m", "p"), StringComparison.Ordinal);
    }

    private EvaluationChoice Choice(bool scored, params (string? Lora, double Scale, double Fidelity, double Adherence)[] kinds)
    {
        var results = kinds.Select((kind, place) =>
        {
            _pictures.Add($"{place}.png", seed: place);
            return new SweepResult
            {
                Path = $"{place}.png",
                Item = new SweepItem { Prompt = "p", Lora = kind.Lora, LoraScale = kind.Scale },
                Seconds = 1,
                Scores = scored
                    ? new Dictionary<string, double> { ["fidelity"] = kind.Fidelity, ["adherence"] = kind.Adherence }
                    : new Dictionary<string, double>(),
            };
        });
        var judge = new JudgeFacts("made up", "fidelity", "adherence", 0.95);
        return EvaluationChoice.Of(SubjectEvaluation.By(new SweepOutcome("test", _pictures.Folder, [.. results], 4, 1), judge));
    }
}
