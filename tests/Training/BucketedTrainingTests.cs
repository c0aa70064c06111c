using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Trainings on pictures of several shapes and resolutions.</summary>
public sealed class BucketedTrainingTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly PictureSamples _classes = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-buckets-").FullName;

    public BucketedTrainingTests()
    {
        foreach (var (i, (width, height)) in new[] { (60, 60), (90, 60), (40, 90), (92, 60), (41, 90) }.Index())
            _pictures.Add($"{i}.png", width, height, i);
        _classes.AddMany(3);
    }

    public void Dispose()
    {
        _pictures.Dispose();
        _classes.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private DreamBoothConfig Config(string output) => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, output)) with
    {
        Resolution = 48,
        AspectBuckets = true,
        BucketStep = 16,
        MoreResolutions = "32",
        TrainBatchSize = 2,
        GradientAccumulationSteps = 2,
        CheckpointingSteps = 2,
        MaxTrainSteps = 6,
        ValidationLossSteps = 3,
        Tokenizers = TinyTokenizers.Root,
        NoMetadata = true,
        WithPriorPreservation = true,
        ClassDataDir = _classes.Folder,
        ClassPrompt = "a picture",
        NumClassImages = 3,
    };

    [Fact]
    public void Check_SeveralSizes_TellsTheStepsThatAreTrained()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Config("check") with { MaxTrainSteps = null, NumTrainEpochs = 3, GradientAccumulationSteps = 1 };
        using var session = TrainingSession.Prepare(config, pipeline);
        var length = Preflight.Check(config).Single(check => check.Subject == "length").Message;
        Assert.StartsWith(
            $"{session.MaxSteps} steps, 3 epochs of 10 pictures; a step has up to 2 instance", length, StringComparison.Ordinal);
        Assert.EndsWith("class pictures, each of one of 5 sizes.", length, StringComparison.Ordinal);
        Assert.True(session.MaxSteps > 15, "Ten pictures in pairs of any size would be fifteen steps.");
    }

    [Fact]
    public void Load_Buckets_AreThePlainEncodingsOfTheirPictures()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var pipeline = TinyPipeline.Load();
        var config = Config("none");
        var dataset = DreamBoothDataset.Load(config.DatasetOptions());
        using var batches = DreamBoothBatches.Prepare(dataset, pipeline, config, 1);
        var sampler = dataset.Sampler(dataset.Count, 2, 1);
        Assert.Equal(sampler.BatchesPerEpoch, batches.BatchesPerEpoch);
        var shapes = new HashSet<(long, long)>();
        for (var index = 0; index < batches.BatchesPerEpoch; index++)
        {
            var latents = batches.Load(0, index).Latents;
            var noise = SeededNoise.Normal(latents.shape, RunSeeds.Latents(1, index));
            foreach (var (row, i) in dataset.Rows(sampler.Epoch(0)[index], 0).Select((row, i) => (row, i)))
            {
                var distribution = pipeline.Vae.Encode(PixelTensors.Stack([dataset.LoadPicture(row.View)]));
                var deviation = (distribution.LogVariance * 0.5).exp();
                GoldenAssert.Exact(
                    pipeline.Vae.ScaleLatents(distribution.Mean + (deviation * noise.narrow(0, i, 1)))[0], latents[i], $"{index} {i}");
            }

            shapes.Add((latents.shape[2], latents.shape[3]));
        }

        Assert.True(shapes.Count >= 5, string.Join(' ', shapes));
    }

    [Fact]
    public void Train_BucketsResumedAndOnTwoRanks_IsTheSameTraining()
    {
        TrainingSession.Train(Config("whole"));
        var resumed = Config("resumed") with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
        TrainingSession.Train(resumed with { MaxTrainSteps = 2 });
        TrainingSession.Train(resumed);
        Assert.Equal(Lora("whole"), Lora("resumed"));
        Assert.Equal(Losses("whole"), Losses("resumed"));

        RankThreads.Run(2, ranks => TrainingSession.Train(
            Config("ranked") with { GradientAccumulationSteps = 1 }, ranks, null, CancellationToken.None));
        Assert.All(Losses("whole").Zip(Losses("ranked")), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-4));

        var error = Assert.Throws<LabException>(() => TrainingSession.Train(resumed with { BucketStep = 48, MoreResolutions = null }));
        Assert.Contains("bucket_step was 16 and is 48", error.Message, StringComparison.Ordinal);
        Assert.Contains("more_resolutions was 32 and is not given", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_Epochs_CountTheBatchesOfAllBuckets()
    {
        var steps = new List<StepRecord>();
        var config = Config("epochs") with { MaxTrainSteps = null, NumTrainEpochs = 2, GradientAccumulationSteps = 1 };
        var items = 0;
        using var pipeline = TinyPipeline.Load();
        TrainingSession.Train(config, pipeline, new TrainingEvents
        {
            OnStep = step =>
            {
                steps.Add(step);
                items += (int)Math.Round(step.ImagesPerSecond * step.Seconds);
            },
        });
        Assert.Equal(2 * 2 * 5 * 2, items);
        Assert.Equal(2, steps.Select(step => step.Epoch).Distinct().Count());
    }

    [Fact]
    public void Train_BucketBeyondThePositions_IsRefusedBeforeTraining()
    {
        using var pipeline = TinyPipeline.Load();
        var most = pipeline.Transformer.Config.PosEmbedMaxSize * pipeline.SizeMultiple;
        _pictures.Add("long.png", 40, 160);
        var error = Assert.Throws<LabException>(() => TrainingSession.Train(
            Config("long") with { MoreResolutions = $"{most}" }, pipeline));
        Assert.Contains($"the transformer's table of positions ends at {most}.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("40", 16, "more_resolutions is '40'")]
    [InlineData("", 16, "more_resolutions is ''")]
    [InlineData("64;32", 16, "more_resolutions is '64;32'")]
    [InlineData("64", 32, "bucket_step is 32, and the resolution 48 is no multiple of it")]
    [InlineData("64", 8, "bucket_step")]
    public void Validate_SizesThatDoNotFit_AreNamed(string more, int step, string expected)
    {
        var error = Assert.Throws<LabException>(() => (Config("a") with { MoreResolutions = more, BucketStep = step }).Validate());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MemorySettings_SeveralResolutions_PlanTheLargest()
    {
        var settings = MemorySettings.Of(Config("a") with { MoreResolutions = "96,32" }, 10);
        Assert.Equal((96, 30), (settings.Resolution, settings.CachedPictures));
    }

    private byte[] Lora(string run) => File.ReadAllBytes(Path.Combine(_folder, run, LoraFile.DefaultName));

    private IReadOnlyList<double> Losses(string run) => [.. StepLog.Read(Path.Combine(_folder, run)).Select(step => step.Loss)];
}
