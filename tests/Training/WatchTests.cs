using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class WatchTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-watch-").FullName;

    public WatchTests() => _pictures.AddMany(3);

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
    {
        InstancePrompt = "a gmc cat",
        ClassPrompt = "a cat",
        LearningRate = 1e-2,
        MaxTrainSteps = 5,
        CheckpointingSteps = 2,
        ValidationPrompt = "gmc cat on a mat",
        ValidationResolution = 32,
        NumValidationImages = 2,
        ValidationInferenceSteps = 1,
        WatchSteps = 2,
    };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Train_WatchSteps_ComparesPicturesWithPhotosAndWithTheSameWithoutTheIdentifier()
    {
        using var pipeline = TinyPipeline.Load();
        var without = new List<(int Step, RgbImage Image)>();
        TrainingSession.Train(
            Config, pipeline,
            new TrainingEvents { OpenJudge = _ => new First(), OnPictureWithout = (step, image) => without.Add((step, image)) });
        var records = StepLog.Read(Config.OutputDir);
        Assert.Equal([2, 4, 5], records.Where(record => record.Watched is not null).Select(record => record.Step));
        Assert.Equal([2, 2, 4, 4, 5, 5], without.Select(picture => picture.Step));
        var photos = Directory.GetFiles(_pictures.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray();
        foreach (var record in records.Where(record => record.Watched is not null))
        {
            Assert.Equal([0, 1], record.Watched!.Select(picture => picture.Index));
            Assert.All(record.Watched!, picture => Assert.Equal((photos[1], false), (picture.Nearest, picture.IsCopy)));
            Assert.All(record.Watched!, picture => Assert.Equal(photos[1], picture.WithoutNearest));
            var images = ValidationPicture.List(Config.OutputDir).Where(picture => picture.Step == record.Step);
            Assert.Equal(
                images.Select(picture => First.Of(ImageDecoder.Load(picture.Path))),
                record.Watched!.Select(picture => picture.Similarity!.Value));
            Assert.Null(record.Scores);
        }

        // The same noise, another prompt: what is made with the prompt itself is that picture.
        TrainingSession.Train(
            Config with
            {
                OutputDir = Path.Combine(_folder, "plain"),
                ValidationPrompt = "cat on a mat",
                WatchSteps = null,
                ValidationSteps = 2,
            },
            pipeline);
        var plain = Path.Combine(_folder, "plain", "validation", "step_00002", "img_01.png");
        Assert.Equal(ImageDecoder.Load(plain).Pixels, without[1].Image.Pixels);
        var own = Path.Combine(Config.OutputDir, "validation", "step_00002", "without_01.png");
        Assert.Equal(without[1].Image.Pixels, ImageDecoder.Load(own).Pixels);
        var board = EventRecord.Read(Directory.GetFiles(Path.Combine(Config.OutputDir, "logs")).Single());
        Assert.Equal([2, 2, 4, 4, 5, 5], board.Where(entry => entry.Tag?.StartsWith("without/", StringComparison.Ordinal) == true)
            .Select(entry => entry.Step));
        Assert.Contains(photos[1]!, board.First(entry => entry.Tag == "watch").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_Watched_GivesTheSameLoraAndGoesOnFromACancelledLook()
    {
        using var pipeline = TinyPipeline.Load();
        var events = new TrainingEvents { OpenJudge = _ => new First() };
        TrainingSession.Train(Config with { OutputDir = Path.Combine(_folder, "plain"), WatchSteps = null }, pipeline);
        using var source = new CancellationTokenSource();
        var cancelling = events with { OnPictureWithout = (_, _) => source.Cancel() };
        Assert.True(TrainingSession.Train(Config, pipeline, cancelling, source.Token).Cancelled);
        Assert.Null(StepLog.Read(Config.OutputDir)[^1].Watched);
        TrainingSession.Train(Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest }, pipeline, events);
        Assert.Equal([2, 4, 5], StepLog.Read(Config.OutputDir).Where(record => record.Watched is not null).Select(record => record.Step));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_folder, "plain", "pytorch_lora_weights.safetensors")),
            File.ReadAllBytes(Path.Combine(_folder, "run", "pytorch_lora_weights.safetensors")));
    }

    [Fact]
    public void Train_NoJudgeAndNoIdentifier_IsToldAndPicturesAreMadeAllTheSame()
    {
        using var pipeline = TinyPipeline.Load();
        var warnings = new List<string>();
        var config = Config with { ClassPrompt = null, MaxTrainSteps = 1 };
        TrainingSession.Train(
            config, pipeline,
            new TrainingEvents { OpenJudge = _ => throw new LabException("No encoders."), OnWarning = warnings.Add });
        Assert.Equal("watch_steps names no nearest photos. No encoders.", Assert.Single(warnings));
        Assert.Contains(config.Notices(), notice => notice.StartsWith("watch_steps generates no pictures", StringComparison.Ordinal));
        var watched = Assert.Single(StepLog.Read(config.OutputDir)).Watched!;
        Assert.Equal([new WatchedPicture(0, null, null, null), new WatchedPicture(1, null, null, null)], watched);
        Assert.Equal(2, ValidationPicture.List(config.OutputDir).Count);
    }

    [Fact]
    public void Validate_WatchStepsWithoutValidationPrompt_IsRefused() => Assert.Contains(
        "watch_steps compares validation pictures",
        Assert.Throws<LabException>(() => (Config with { ValidationPrompt = null }).Validate()).Message, StringComparison.Ordinal);

    // Knows one photo only, the second.
    private sealed class First : IPictureJudge
    {
        public string Name => "first";

        public string FidelityScore => "first";

        public string AdherenceScore => "first";

        public double Ceiling => 1;

        public static double Of(RgbImage image) => image.Pixels.Average(level => level) / 255;

        public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image) => throw new NotSupportedException();

        public IReadOnlyList<NearestTrainingPicture>? Nearest(IReadOnlyList<RgbImage> images) =>
            [.. images.Select(image => new NearestTrainingPicture(1, Of(image), false))];

        public void Dispose()
        {
        }
    }
}
