using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class RankedTrainingTests : IDisposable
{
    // Sums in another order differ by rounding.
    private const double Rounding = 1e-5;

    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-ranks-").FullName;

    public RankedTrainingTests()
    {
        _pictures.AddMany(5);
    }

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Run_SeveralRanks_TakesTheStepsOfOne(int count)
    {
        // Seven micro-batches in steps of six: the last step of an epoch has one, and a rank without any.
        var config = TinyTraining.Config with { GradientAccumulationSteps = 6, MaxTrainSteps = 4 };
        var (alone, weights) = Steps(config, null);
        var all = RankThreads.Run(count, ranks => Steps(config, ranks));
        Assert.All(all, rank => Assert.Equal(all[0].Weights, rank.Weights));
        AssertClose(weights, all[0].Weights);
        foreach (var (steps, _) in all)
        {
            AssertClose([.. alone.Select(step => (float)step.Loss)], [.. steps.Select(step => (float)step.Loss)]);
            AssertClose([.. alone.Select(step => (float)step.GradNorm)], [.. steps.Select(step => (float)step.GradNorm)]);
            Assert.Equal(alone.Select(step => step.Epoch), steps.Select(step => step.Epoch));
        }
    }

    [Fact]
    public void Run_CancelledOnOneRank_DropsTheSameStepOnAll()
    {
        var config = TinyTraining.Config with { GradientAccumulationSteps = 3, MaxTrainSteps = 100 };
        var all = RankThreads.Run(3, ranks => Steps(config, ranks, cancelAfter: ranks.Rank == 1 ? 2 : null));
        Assert.All(all, rank => Assert.Equal(2, rank.Steps.Count));
        Assert.All(all, rank => Assert.Equal(all[0].Weights, rank.Weights));
    }

    [Fact]
    public void Train_OnTwoOneAndTwoRanks_IsTheTrainingOfOne()
    {
        var whole = Config("whole") with { GradientAccumulationSteps = 2, MaxTrainSteps = 6 };
        using (var pipeline = TinyPipeline.Load())
            TrainingSession.Train(whole, pipeline);
        var resumed = Config("resumed") with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
        Assert.All(Train(2, resumed with { MaxTrainSteps = 2 }), summary => Assert.Equal(2, summary.Steps));
        TrainingSession.Train(resumed with { GradientAccumulationSteps = 2, MaxTrainSteps = 4 });
        Assert.All(Train(2, resumed with { MaxTrainSteps = 6 }), summary => Assert.Equal(6, summary.Steps));
        AssertClose(Losses("whole"), Losses("resumed"));
        AssertClose(Lora("whole"), Lora("resumed"));

        var error = Assert.Throws<AggregateException>(() => Train(3, resumed with { MaxTrainSteps = 8 }));
        Assert.Contains(error.Flatten().InnerExceptions, inner => inner.Message.Contains(
            "gradient_accumulation_steps was 2 and is 3", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_CancelledOnOneRank_LeavesACheckpointThatBothNumbersGoOnFrom()
    {
        var config = Config("ended") with { MaxTrainSteps = 6 };
        using var cancelled = new CancellationTokenSource();
        var all = RankThreads.Run(2, ranks => TrainingSession.Train(
            config, ranks,
            new TrainingEvents
            {
                OnStep = step =>
                {
                    if (ranks.Rank == 1 && step.Step == 3)
                        cancelled.Cancel();
                },
            },
            ranks.Rank == 1 ? cancelled.Token : CancellationToken.None));
        Assert.All(all, summary => Assert.Equal((3, true), (summary.Steps, summary.Cancelled)));
        Assert.True(Directory.Exists(Path.Combine(_folder, "ended", "checkpoint-3")));
        Train(2, config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest });
        Train(2, config with { OutputDir = Path.Combine(_folder, "whole") });
        Assert.Equal(Lora("whole"), Lora("ended"));
        Assert.Equal(Losses("whole"), Losses("ended"));
    }

    [Fact]
    public void Train_RankZeroFails_TellsTheOthersWhy()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        var error = Assert.Throws<AggregateException>(() => Train(2, Config("file")));
        Assert.Contains(error.Flatten().InnerExceptions, inner => inner is RankFailureException
            && inner.Message.Contains("(output_dir) cannot be written to", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_RankLostDuringASum_KeepsTheStepsWhateverTheErrorIs()
    {
        var error = Assert.Throws<AggregateException>(() => RankThreads.Run(2, ranks => TrainingSession.Train(
            Config("lost") with { MaxTrainSteps = 100 }, ranks,
            new TrainingEvents
            {
                OnStep = step =>
                {
                    if (ranks.IsFirst && step.Step == 3)
                    {
                        ranks.Fail("it is lost.");
                        throw new LabException("ncclAllReduce failed");
                    }
                },
            },
            CancellationToken.None)));
        Assert.Contains(error.Flatten().InnerExceptions, inner => inner.Message == "ncclAllReduce failed");
        Assert.True(Directory.Exists(Path.Combine(_folder, "lost", "checkpoint-3")));
    }

    [Fact]
    public void Open_OneRankOnAGpu_IsNamedOnEach()
    {
        var errors = RankThreads.Run(2, ranks => Assert.Throws<RankFailureException>(
            () => ICollective.Open(ranks, ranks.IsFirst ? CPU : new Device(TorchSharp.DeviceType.CUDA))).Message);
        Assert.All(errors, error => Assert.StartsWith(
            "Rank 1 computes on a GPU, and rank 0 on the processor.", error, StringComparison.Ordinal));
    }

    private DreamBoothConfig Config(string output) => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, output)) with
    {
        CheckpointingSteps = 2,
        Tokenizers = TinyTokenizers.Root,
    };

    private static IReadOnlyList<TrainingSummary> Train(int count, DreamBoothConfig config) =>
        RankThreads.Run(count, ranks => TrainingSession.Train(config, ranks, null, CancellationToken.None));

    private static (List<StepRecord> Steps, float[] Weights) Steps(DreamBoothConfig config, Rendezvous? ranks, int? cancelAfter = null)
    {
        using var training = new TinyTraining { BatchesPerEpoch = 7 };
        using var collective = ranks is null ? null : ICollective.Open(ranks, CPU);
        using var trainer = training.Trainer(config, collective: collective);
        using var cancelled = new CancellationTokenSource();
        var steps = new List<StepRecord>();
        trainer.Run(
            new TrainingEvents
            {
                OnStep = step =>
                {
                    steps.Add(step);
                    if (step.Step == cancelAfter)
                        cancelled.Cancel();
                },
            },
            cancellation: cancelled.Token);
        ranks?.Barrier();
        return (steps, training.Weights);
    }

    private float[] Losses(string run) => [.. StepLog.Read(Path.Combine(_folder, run)).Select(step => (float)step.Loss)];

    private float[] Lora(string run)
    {
        using var file = SafetensorsFile.Open(Path.Combine(_folder, run, LoraFile.DefaultName));
        using var scope = NewDisposeScope();
        return [.. file.Tensors.Keys.Order(StringComparer.Ordinal).SelectMany(name => file.Load(name).data<float>().ToArray())];
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = expected.Max(Math.Abs);
        Assert.All(expected.Zip(actual), pair => Assert.InRange(Math.Abs(pair.Second - pair.First), 0, Rounding * scale));
    }
}
