using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class TrainingSessionTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-session-").FullName;

    public TrainingSessionTests()
    {
        _pictures.AddMany(3);
    }

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Out("run")) with
    {
        GradientAccumulationSteps = 2,
        TrainTextEncoder = true,
        RandomFlip = true,
        LearningRate = 1e-3,
        LrScheduler = LearningRateScheduleKind.Cosine,
        LrWarmupSteps = 2,
        MaxTrainSteps = 6,
    };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Prepare_ResumeFromCheckpoint_EndsAsAnUninterruptedRun()
    {
        using var pipeline = TinyPipeline.Load();
        var whole = Train(pipeline, Config with { OutputDir = Out("whole") });
        using (var session = TrainingSession.Prepare(Config with { CheckpointingSteps = 3 }, pipeline))
            session.Run(until: 4);
        Assert.Equal([3], TrainingCheckpoint.List(Out("run")).Select(checkpoint => checkpoint.Step));

        // How the folder is written and what is measured on the way change nothing.
        var stages = new List<string>();
        var resumed = Train(
            pipeline, Config with
            {
                ResumeFromCheckpoint = TrainingCheckpoint.Latest,
                ValidationLossSteps = 1,
                InstanceDataDir = _pictures.Folder + "/",
            },
            new TrainingEvents { OnStage = stages.Add });
        Assert.Equal(whole, resumed);
        Assert.Contains($"Going on from {Out("run", "checkpoint-3")}", stages);
        Assert.Equal([1, 2, 3, 4, 5, 6], StepLog.Read(Out("run")).Select(record => record.Step));
        Assert.Equal(Losses("whole"), Losses("run"));
        Assert.Equal(File.ReadAllBytes(Out("whole", LoraFile.DefaultName)), File.ReadAllBytes(Out("run", LoraFile.DefaultName)));

        double[] Losses(string run) => [.. StepLog.Read(Out(run)).Select(record => record.Loss)];
    }

    [Fact]
    public void Run_UntilAStepAndOn_EndsAsAnUninterruptedRun()
    {
        using var pipeline = TinyPipeline.Load();
        var whole = Train(pipeline, Config with { OutputDir = Out("whole") });
        using var session = TrainingSession.Prepare(Config, pipeline);
        Assert.Equal((2, false), Ended(session.Run(until: 2)));
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Equal((2, true), Ended(session.Run(cancellation: source.Token)));
        Assert.Equal((6, false), Ended(session.Run()));
        Assert.Equal(whole, Weights(session));
        Assert.Equal(6, StepLog.Read(Out("run")).Count);
        Assert.False(File.Exists(Out("run", LoraFile.DefaultName)));
        Assert.Equal(Out("run", LoraFile.DefaultName), session.Save());
        Assert.True(File.Exists(Out("run", LoraFile.DefaultName)));

        static (int Steps, bool Cancelled) Ended(TrainingSummary summary) => (summary.Steps, summary.Cancelled);
    }

    [Fact]
    public void Prepare_NoSeed_TakesTheCheckpoints()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Config with { Seed = null, CheckpointingSteps = 1 };
        long? seed;
        using (var session = TrainingSession.Prepare(config, pipeline))
        {
            session.Run(until: 1);
            seed = session.Config.Seed;
        }

        using var again = TrainingSession.Prepare(config with { ResumeFromCheckpoint = "checkpoint-1" }, pipeline);
        Assert.Equal((1, seed), (again.StepsDone, again.Config.Seed));
    }

    [Fact]
    public void Prepare_CheckpointThatDoesNotFit_SaysWhy()
    {
        using var pipeline = TinyPipeline.Load();
        Train(pipeline, Config with { CheckpointingSteps = 3, MaxTrainSteps = 3 });
        var resume = Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
        Fails("is at step 3 and the run has 2: there is nothing left to train", resume with { MaxTrainSteps = 2 });
        Fails("learning_rate was 0.001 and is 0.01; rank was 4 and is 8", resume with { Rank = 8, LearningRate = 1e-2 });
        Fails(
            "checkpoint-9', but there is no such checkpoint. " + Out("run") + " has checkpoint-3.",
            resume with { ResumeFromCheckpoint = "checkpoint-9" });
        _pictures.Add("1.png", seed: 9);
        Fails("the instance pictures, class pictures or captions are not those", resume);
        Assert.All(pipeline.LoraComponents, component => Assert.DoesNotContain(
            component.Module.named_modules(), entry => entry.module is Dreambooth.Lab.Layers.LoraLinear { Adapters.Count: > 0 }));

        void Fails(string message, DreamBoothConfig config) =>
            Assert.Contains(
                message, Assert.Throws<LabException>(() => TrainingSession.Prepare(config, pipeline)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_LongerRunWithScheduleOfItsLength_Warns()
    {
        using var pipeline = TinyPipeline.Load();
        Train(pipeline, Config with { CheckpointingSteps = 3, MaxTrainSteps = 3 });
        var warnings = new List<string>();
        using var session = TrainingSession.Prepare(
            Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest }, pipeline,
            new TrainingEvents { OnWarning = warnings.Add });
        Assert.Equal((3, 6), (session.StepsDone, session.MaxSteps));
        Assert.Contains("the learning rate is that of the new length", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_LatestWithoutCheckpoint_StartsAfreshWithAWarning()
    {
        using var pipeline = TinyPipeline.Load();
        var warnings = new List<string>();
        using var session = TrainingSession.Prepare(
            Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest }, pipeline,
            new TrainingEvents { OnWarning = warnings.Add });
        Assert.Equal(0, session.StepsDone);
        Assert.Contains("the run starts afresh", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_CheckpointsTotalLimit_KeepsTheNewest()
    {
        using var pipeline = TinyPipeline.Load();
        var written = new List<int>();
        Train(pipeline, Config with { CheckpointingSteps = 2, MaxTrainSteps = 6 });
        Train(
            pipeline, Config with { CheckpointingSteps = 1, CheckpointsTotalLimit = 2, MaxTrainSteps = 3 },
            new TrainingEvents { OnCheckpoint = checkpoint => written.Add(checkpoint.Step) });
        Assert.Equal([1, 2, 3], written);
        Assert.Equal([2, 3], TrainingCheckpoint.List(Out("run")).Select(checkpoint => checkpoint.Step));
        Assert.Equal(
            ["optimizer.safetensors", LoraFile.DefaultName, "training_state.json"],
            Directory.GetFiles(Out("run", "checkpoint-3")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Directory.GetDirectories(Out("run")), folder => folder.EndsWith(".tmp", StringComparison.Ordinal));
        using var pipelineWithLora = TinyPipeline.Load();
        pipelineWithLora.LoadLora(Out("run", "checkpoint-3"));
    }

    [Fact]
    public void Run_ValidationEverySoManySteps_MakesPicturesAndLosses()
    {
        using var pipeline = TinyPipeline.Load();
        var (pictures, records) = (new List<(int Step, RgbImage Image)>(), new List<StepRecord>());
        Train(
            pipeline,
            Config with
            {
                ValidationPrompt = "a dog",
                ValidationSteps = 4,
                NumValidationImages = 3,
                SampleBatchSize = 2,
                ValidationInferenceSteps = 1,
                ValidationLossSteps = 3,
            },
            new TrainingEvents
            {
                OnValidationPicture = (step, image) => pictures.Add((step, image)),
                OnStep = records.Add,
            });
        Assert.Equal([4, 4, 4, 6, 6, 6], pictures.Select(picture => picture.Step));
        Assert.Equal(3, Directory.GetFiles(Out("run", "validation", "step_00006")).Length);
        Assert.NotEqual(pictures[0].Image.Pixels, pictures[1].Image.Pixels);
        Assert.Equal([1, 3, 6], records.Where(record => record.ValidationLoss is not null).Select(record => record.Step));
        Assert.All(records, record => Assert.True(record.ValidationLoss is null or > 0));
        Assert.Equal(JsonLines.Text(records), JsonLines.Text(StepLog.Read(Out("run"))));
    }

    [Fact]
    public void Draw_ValidationResolution_IsTheSizeOfThePictures()
    {
        using var pipeline = TinyPipeline.Load();
        var size = pipeline.DefaultSize + (2 * pipeline.SizeMultiple);
        using var session = TrainingSession.Prepare(
            Config with
            {
                ValidationPrompt = "a dog",
                NumValidationImages = 1,
                ValidationInferenceSteps = 1,
                ValidationResolution = size,
            },
            pipeline);
        var picture = Assert.Single(session.GenerateValidation());
        Assert.Equal((size, size), (picture.Width, picture.Height));
    }

    // Where memory is refused beside the recorded step, a batch is made once more.
    [Fact]
    public void Make_ABatchThatIsMadeTwice_IsTheSamePicturesOnce()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Config with
        {
            OutputDir = Out("twice"),
            ValidationPrompt = "a dog",
            NumValidationImages = 3,
            SampleBatchSize = 2,
            ValidationInferenceSteps = 1,
        };
        var batches = 0;
        List<(int, RgbImage)> Twice(Func<List<(int, RgbImage)>> work)
        {
            batches++;
            work();
            return work();
        }

        using var adapter = config.CreateAdapter(pipeline);
        var pictures = new ValidationPictures(config, pipeline, adapter, 7);
        var twice = pictures.Make(1, null, Twice, default).ToArray();
        var once = pictures.Make(1, null, work => work(), default).ToArray();
        Assert.Equal((2, 3), (batches, twice.Length));
        Assert.Equal(once.Select(picture => picture.Image.Pixels), twice.Select(picture => picture.Image.Pixels));
        Assert.Equal([0, 1, 2], twice.Select(picture => picture.Index));
    }

    [Fact]
    public void Run_ValidationLoss_IsTheSameForTheSameWeights()
    {
        using var pipeline = TinyPipeline.Load();
        var records = new List<StepRecord>();
        Train(
            pipeline, Config with { LearningRate = 0, TextEncoderLr = 0, ValidationLossSteps = 1, MaxTrainSteps = 3 },
            new TrainingEvents { OnStep = records.Add });
        Assert.Single(records.Select(record => record.ValidationLoss).Distinct());
        Assert.Equal(3, records.Select(record => record.InstanceLoss).Distinct().Count());
    }

    [Fact]
    public void Dispose_AfterRun_LeavesNoTensors()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Config with
        {
            CheckpointingSteps = 1,
            ValidationLossSteps = 1,
            ValidationPrompt = "a dog",
            ValidationSteps = 1,
            NumValidationImages = 1,
            ValidationInferenceSteps = 1,
            MaxTrainSteps = 2,
        };
        Assert.Equal(0, LiveTensors.LeftBy(() => Train(pipeline, config)));
        Assert.Equal(0, LiveTensors.LeftBy(() => Train(pipeline, config with { ResumeFromCheckpoint = "checkpoint-1" })));
    }

    private static float[] Train(
        Lab.Pipelines.StableDiffusion3Pipeline pipeline, DreamBoothConfig config, TrainingEvents? events = null)
    {
        using var session = TrainingSession.Prepare(config, pipeline, events);
        session.Run();
        session.Save();
        return Weights(session);
    }

    private static float[] Weights(TrainingSession session) => session.Adapter.Parameters.data<float>().ToArray();

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
