using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Lessons;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Lessons;

public class NotebookPresetTests
{
    private const string Medium = "stabilityai/stable-diffusion-3.5-medium";

    [Theory]
    [InlineData("Tiny", PresetSize.Tiny)]
    [InlineData(" standard ", PresetSize.Standard)]
    [InlineData("FULL", PresetSize.Full)]
    public void Named_AnyCase_IsThePreset(string name, PresetSize size) => Assert.Equal(size, NotebookPreset.Named(name).Size);

    [Theory]
    [InlineData("huge")]
    [InlineData("1")]
    [InlineData("")]
    public void Named_Unknown_NamesTheValidOnes(string name) => Assert.Contains(
        "Tiny, Standard and Full", Assert.Throws<LabException>(() => NotebookPreset.Named(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void With_EmptyNames_ChangesNothing()
    {
        var preset = NotebookPreset.Standard;
        Assert.Equal(preset, preset.With("", " ", null));
    }

    [Fact]
    public void With_Steps_AreThosePicturesAndTrainingTake()
    {
        Assert.Equal(6, NotebookPreset.Full.With(steps: 6).Study.Steps);
        Assert.Equal(NotebookPreset.Full.Study.Steps, NotebookPreset.Full.With().Study.Steps);
        Assert.Equal(9, NotebookPreset.Full.OwnSubject(steps: 9).Config.MaxTrainSteps);
        Assert.Equal(3, NotebookPreset.Full.OwnSubject(steps: 9).Config.CheckpointingSteps);
        Assert.Throws<ArgumentOutOfRangeException>(() => NotebookPreset.Full.With(steps: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => NotebookPreset.Full.OwnSubject(steps: -1));
    }

    [Fact]
    public void With_AnotherModel_HasNoClassifier()
    {
        var other = NotebookPreset.Standard.With("/models/other", "/my-lora", "/photos");
        Assert.Equal(("/models/other", "/my-lora", "/photos", null), (other.Model, other.Study.Lora, other.Photos, other.Classifier));
        Assert.NotNull(NotebookPreset.Standard.With("data/sd3-mini", "/my-lora", "data/cat_gmc").Classifier);
        Assert.Null(NotebookPreset.Standard.With(photos: "/my-dog").Classifier);
        Assert.Equal("–", other.Expected("0.8"));
        Assert.Equal("0.9", NotebookPreset.Full.Expected("0.8", "0.9"));
        Assert.Equal("–", NotebookPreset.Full.With("/models/other").Expected("0.8", "0.9"));
    }

    [Theory]
    [InlineData(Medium, Medium)]
    [InlineData("data/sd3-mini", "data/sd3-mini")]
    [InlineData("data/sd3-mni", "data/sd3-mni")]
    public void With_NameOfAModel_IsAPathOnlyWhereTheProjectHasItsFolder(string name, string expected)
    {
        var model = NotebookPreset.Tiny.With(name).Model;
        Assert.Equal(name == Medium ? expected : Path.Combine(GoldenSet.RepositoryRoot, expected), model);
    }

    [Fact]
    public void PromptsOf_TheMiniatureAndOtherModels_AreTheListsForEach()
    {
        Assert.Equal("a watercolour painting of gmc cat", NotebookPreset.Standard.PromptsOf("art")[0]);
        Assert.Equal(NotebookPreset.Standard.PromptsOf("art"), NotebookPreset.Tiny.With(lora: "/my-lora").PromptsOf("art"));
        var real = NotebookPreset.Full.PromptsOf("art", "sks dog");
        Assert.StartsWith("a cubist portrait of sks dog in the style of Juan Gris", real[0], StringComparison.Ordinal);
        Assert.Equal(24, NotebookPreset.Full.Study.Axes(real).Prompts.Count);
        Assert.Equal(real, NotebookPreset.Standard.With(Medium).PromptsOf("art", "sks dog"));
    }

    [Theory]
    [InlineData("Tiny")]
    [InlineData("Standard")]
    public void Named_TheMiniature_IsThereAndScored(string name)
    {
        var preset = NotebookPreset.Named(name);
        Assert.All([preset.Model, preset.Study.Lora, preset.Classifier, preset.Photos], path => Assert.True(Directory.Exists(path), path));
        Assert.Equal(preset.Model, preset.ModelFolder());
        using var judge = preset.Judge();
        Assert.Equal("the miniature's classifier", judge.Name);
        Assert.Equal("0.8", preset.Expected("0.8"));
        Assert.Equal(Directory.GetFiles(preset.Photos, "*.png").Length, preset.PhotoCount);
    }

    [Fact]
    public void Standard_BeforeAndAfter_IsAtMostSixtyPictures()
    {
        var study = NotebookPreset.Standard.Study;
        var axes = study.Axes(PromptList.OfFamily("art"));
        Assert.Equal(10, axes.Prompts.Count);
        Assert.InRange(Sweep.Cross("s", axes with { Loras = [null, .. axes.Loras] }).Items.Count, 1, 60);
        Assert.InRange(3 * study.Scales.Count * study.Guidances.Count, 1, 60);
    }

    [Fact]
    public void Full_EveryLesson_HasTheModelOfTheHub()
    {
        var full = NotebookPreset.Full;
        Assert.Equal(Medium, full.Model);
        DreamBoothConfig[] configs =
            [full.Training().Config, full.OwnSubject().Config, .. full.Memory().Trials.Select(trial => trial.Config)];
        Assert.All(configs, config => Assert.Equal(Medium, config.PretrainedModelNameOrPath));
        Assert.Equal(Medium, NotebookPreset.Standard.With(Medium).Training().Config.PretrainedModelNameOrPath);
        Assert.Equal(("–", "8,000"), (full.Expected("8"), full.Expected("8", "8,000")));
    }

    // As far as it goes without the model: every setting, the photos, the disk, and the memory that it would take.
    [Fact]
    public void Full_EveryTraining_PassesThePreflightAndIsPlanned()
    {
        var full = NotebookPreset.Full.With(photos: "data/cat_gmc");
        var own = full.OwnSubject().Config with { InstanceDataDir = full.Photos };
        DreamBoothConfig[] configs = [full.Training().Config, own, .. full.Memory().Trials.Select(trial => trial.Config)];
        var output = Path.Combine(Path.GetTempPath(), "lab-nowhere");
        Assert.All(configs, config =>
        {
            var checks = Preflight.Check(config with { Device = "cpu", OutputDir = output }, memory: 80L << 30);
            Assert.Empty(checks.Where(check => check.Status == PreflightStatus.Problem).Select(check => check.Message));
            Assert.Contains(checks, check => check.Subject == "memory");
            var planner = new MemoryPlanner(ModelArchitecture.Find(config.PretrainedModelNameOrPath));
            Assert.InRange(planner.Forecast(MemorySettings.Of(config, 24)).Peak, 10L << 30, 80L << 30);
        });
    }

    [Theory]
    [InlineData("Tiny")]
    [InlineData("standard")]
    [InlineData("FULL")]
    public void Training_EveryPreset_IsValidAndStopsOnItsWay(string name)
    {
        var lesson = NotebookPreset.Named(name).Training();
        lesson.Config.Validate();
        Assert.Empty(lesson.Config.Notices());
        Assert.InRange(lesson.InterruptAt, 1, lesson.DropAt);
        Assert.InRange(lesson.DropAt, lesson.Config.CheckpointingSteps, lesson.Steps - 1);
        Assert.True(Path.IsPathFullyQualified(lesson.Config.OutputDir));
        Assert.StartsWith("outputs/", lesson.ShownConfig.OutputDir, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_Knobs_TurnsThoseAlone()
    {
        var standard = NotebookPreset.Standard;
        var own = standard.Training();
        Assert.Equal(
            [("steps", "520, the preset's"), ("rank", "16, the preset's"), ("learning rate", "0.003, the preset's")], own.Parameters);
        var turned = standard.Training(steps: 80, rank: 2, learningRate: 1e-3);
        Assert.Equal([("steps", "80"), ("rank", "2"), ("learning rate", "0.001")], turned.Parameters);
        Assert.Equal((80, 2, 1e-3, 10), (turned.Steps, turned.Config.Rank, turned.Config.LearningRate, turned.Config.CheckpointingSteps));
        Assert.Equal(
            own.Config, turned.Config with
            {
                MaxTrainSteps = own.Steps,
                Rank = own.Config.Rank,
                LearningRate = own.Config.LearningRate,
                CheckpointingSteps = own.Config.CheckpointingSteps,
                ValidationSteps = own.Config.ValidationSteps,
                ValidationLossSteps = own.Config.ValidationLossSteps,
                WatchSteps = own.Config.WatchSteps,
            });
    }

    [Fact]
    public void OwnSubject_Names_AreInItsPrompts()
    {
        var lesson = NotebookPreset.Tiny.With(photos: "data/cat_gmc").OwnSubject("sks", "dog");
        Assert.Equal(("a photo of sks dog", "a photo of a dog"), (lesson.Config.InstancePrompt, lesson.Config.ClassPrompt));
        Assert.Equal(lesson.Prepared, lesson.Config.InstanceDataDir);
        Assert.Equal(
            ["a photo of sks dog", "a photo of sks dog on a beach", "a photo of sks dog in the snow", "a photo of a dog"],
            lesson.Sample.Prompts);
        Assert.Equal("a photo of a dog on a beach", lesson.Config.WatchPrompt);
        lesson.Config.Validate();
        Assert.Throws<ArgumentException>(() => NotebookPreset.Tiny.OwnSubject(" "));
    }
}
