using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class ValidationScoresTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-scores-").FullName;
    private readonly Lightness _judge = new();

    public ValidationScoresTests()
    {
        _pictures.AddMany(3);
    }

    private DreamBoothConfig Config => new()
    {
        PretrainedModelNameOrPath = TinyPipeline.Folder,
        InstanceDataDir = _pictures.Folder,
        InstancePrompt = "a cat",
        OutputDir = Out("run"),
        Resolution = 32,
        MaxSequenceLength = 8,
        LearningRate = 1e-2,
        MaxTrainSteps = 5,
        Seed = 1,
        Device = "cpu",
        ValidationPrompt = "a dog",
        ValidationResolution = 32,
        NumValidationImages = 3,
        SampleBatchSize = 2,
        ValidationInferenceSteps = 1,
        EvaluationSteps = 2,
    };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Run_EvaluationSteps_AreScoredOnTheValidationPicturesOfTheirSteps()
    {
        using var pipeline = TinyPipeline.Load();
        var pictures = new List<(int Step, RgbImage Image)>();
        var seen = new List<StepRecord>();
        TrainingSession.Train(
            Config with { ValidationSteps = 4 }, pipeline,
            Events with { OnValidationPicture = (step, image) => pictures.Add((step, image)), OnStep = seen.Add });
        var records = StepLog.Read(Out("run"));
        Assert.Equal([1, 2, 4, 5], records.Where(record => record.Scores is not null).Select(record => record.Step));
        Assert.Equal([1, 1, 1, 2, 2, 2, 4, 4, 4, 5, 5, 5], pictures.Select(picture => picture.Step));
        Assert.Equal(12, _judge.Scored);
        foreach (var record in records.Where(record => record.Scores is not null))
        {
            Assert.Equal("lightness", record.Judge);
            var own = pictures.Where(picture => picture.Step == record.Step).Select(picture => Lightness.Of(picture.Image));
            Assert.Equal(own.Average(), record.Scores!["lightness"], 12);
            Assert.Equal(record.Scores, seen[record.Step - 1].Scores);
        }

        Assert.True(_judge.IsFreed);
    }

    [Fact]
    public void Run_ResumedAndCancelledWhileScoring_GivesTheCurveOfAWholeRun()
    {
        using var pipeline = TinyPipeline.Load();
        TrainingSession.Train(Config with { OutputDir = Out("whole") }, pipeline, Events);
        using var source = new CancellationTokenSource();
        var cancelling = Events with
        {
            OnValidationPicture = (step, _) =>
            {
                if (step == 2)
                    source.Cancel();
            },
        };
        var checkpoints = Config with { CheckpointingSteps = 2 };
        Assert.True(TrainingSession.Train(checkpoints, pipeline, cancelling, source.Token).Cancelled);
        Assert.Equal([true, false], StepLog.Read(Out("run")).Select(record => record.Scores is not null));
        TrainingSession.Train(checkpoints with { ResumeFromCheckpoint = TrainingCheckpoint.Latest }, pipeline, Events);
        Assert.Equal([1, 2, 3, 4, 5], StepLog.Read(Out("run")).Select(record => record.Step));
        Assert.Equal(Curve("whole"), Curve("run"));

        double?[] Curve(string run) => [.. StepLog.Read(Out(run)).Select(record => record.Scores?["lightness"])];
    }

    [Fact]
    public void Train_NoJudgeForIt_SaysSoBeforeTheModelIsLoaded()
    {
        var config = Config with { PretrainedModelNameOrPath = Out("none") };
        var refused = new TrainingEvents { OpenJudge = _ => throw new LabException("no encoders") };
        Assert.Equal("no encoders", Assert.Throws<LabException>(() => TrainingSession.Train(config, refused)).Message);
        Assert.StartsWith(
            "evaluation_steps needs a judge", Assert.Throws<LabException>(() => TrainingSession.Train(config)).Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("judge", Assert.Throws<LabException>(() => TrainingSession.Train(config, Events)).Message,
            StringComparison.Ordinal);
        Assert.True(_judge.IsFreed);
    }

    [Fact]
    public void Train_Scored_LeavesNoTensorsAndTheSameLora()
    {
        using var pipeline = TinyPipeline.Load();
        TrainingSession.Train(Config with { EvaluationSteps = null, OutputDir = Out("plain") }, pipeline);
        Assert.Equal(0, LiveTensors.LeftBy(() => TrainingSession.Train(Config, pipeline, Events)));
        Assert.Equal(
            File.ReadAllBytes(Out("plain", "pytorch_lora_weights.safetensors")),
            File.ReadAllBytes(Out("run", "pytorch_lora_weights.safetensors")));
    }

    private TrainingEvents Events => new() { OpenJudge = _ => _judge };

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);

    private sealed class Lightness : IPictureJudge
    {
        public int Scored { get; private set; }

        public bool IsFreed { get; private set; }

        public string Name => "lightness";

        public string FidelityScore => "lightness";

        public string AdherenceScore => "lightness";

        public double Ceiling => 255;

        public static double Of(RgbImage image) => image.Pixels.Average(level => level);

        public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image)
        {
            Assert.Equal("a dog", prompt);
            Scored++;
            return new Dictionary<string, double> { ["lightness"] = Of(image) };
        }

        public void Dispose() => IsFreed = true;
    }
}
