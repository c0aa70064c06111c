using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Lessons;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Sweeps;

namespace Dreambooth.Lab.Tests.Lessons;

public sealed class NotebookJudgeTests : IDisposable
{
    private readonly PictureSamples _pictures = new();

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Judge_AnotherModel_IsThePresetsEncodersUnderTheirNames()
    {
        using var encoders = new SmallEncoders();
        using var judge = NotebookPreset.Full.With("/models/other", photos: Photos(), dino: encoders.Dino, clip: encoders.Clip).Judge();
        Assert.Equal("DINO dino-vit, CLIP small-clip, protocol published", judge.Name);
        Assert.Equal((SubjectJudge.DinoScore, SubjectJudge.ClipTextScore), (judge.FidelityScore, judge.AdherenceScore));
        var scores = judge.Score("a cat", new RgbImage(40, 40));
        Assert.Superset(new HashSet<string> { "dino", "clip_i", "clip_t", "nearest" }, scores.Keys.ToHashSet());
        Assert.False(double.IsNaN(judge.Ceiling));
    }

    [Fact]
    public void Judge_TheMiniature_IsItsClassifierForTheLabsCatOnly()
    {
        using var graded = NotebookPreset.Standard.Judge(graded: true);
        Assert.Equal("the miniature's classifier, graded", graded.Name);
        using var encoders = new SmallEncoders();
        using var other = NotebookPreset.Standard.With(photos: Photos(), dino: encoders.Dino, clip: encoders.Clip).Judge();
        Assert.IsType<SubjectJudge>(other);
    }

    [Fact]
    public void Open_NoNetwork_ScoresNothingAndSaysWhatToDo()
    {
        var hub = new HubResolver(new HubOptions { CacheFolder = _pictures.Folder, TokenPath = "nowhere", Offline = true });
        using var judge = NotebookJudge.Open(NotebookPreset.Full, false, hub);
        Assert.Contains("hub download facebook/dinov2-small", judge.Name, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', judge.Name);
        Assert.Empty(judge.Score("a cat", new RgbImage(8, 8)));
        Assert.True(double.IsNaN(judge.Ceiling));
        using var encoders = new SmallEncoders();
        using var half = NotebookJudge.Open(NotebookPreset.Full.With(dino: encoders.Dino), false, hub);
        Assert.Contains("openai/clip-vit-large-patch14", half.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_FolderWithoutAnEncoder_IsAnError()
    {
        using var encoders = new SmallEncoders();
        var preset = NotebookPreset.Full.With(photos: Photos(), dino: _pictures.Folder, clip: encoders.Clip);
        Assert.Contains(_pictures.Folder, Assert.Throws<LabException>(() => preset.Judge()).Message, StringComparison.Ordinal);
        Assert.Contains(
            "2 are needed", Assert.Throws<LabException>(() => preset.With(dino: encoders.Dino, photos: _pictures.Folder).Judge()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Misses_OfEncoders_AreTheLowestAdherenceFirst()
    {
        var outcome = new SweepOutcome(
            "s", _pictures.Folder,
            [SweepRecords.Record("a", scores: ("adherence", 0.31)), SweepRecords.Record("b", scores: ("adherence", 0.2)),
                SweepRecords.Record("c")], 3, 1);
        var judge = new StubJudge("a stub", (_, _) => new Dictionary<string, double>());
        Assert.Equal([["b", "after", "0", "0.200"], ["a", "after", "0", "0.310"]], judge.Misses(outcome).Rows);
        Assert.Equal("b", Assert.Single(judge.Misses(outcome, 1).Rows)[0]);
    }

    [Fact]
    public void Misses_OfTheClassifier_AreWhatItReadInstead()
    {
        var data = Path.Combine(GoldenSet.RepositoryRoot, "data");
        SweepResult Result(string prompt) => SweepRecords.Record(prompt) with { Path = "gmc_000.png" };
        var outcome = new SweepOutcome(
            "s", Path.Combine(data, "cat_gmc"), [Result("a photo of gmc cat"), Result("a pixel art of gmc cat")], 2, 1);
        using var judge = NotebookPreset.Standard.Judge();
        var row = Assert.Single(judge.Misses(outcome).Rows);
        Assert.StartsWith("rendition PixelArt, read ", row[3], StringComparison.Ordinal);
    }

    private static string Photos() => Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "golden_2", "vision", "images");
}
