using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class DreamBoothTrainerTests
{
    [Fact]
    public void Run_SameSeed_GivesTheSameRunAndAnotherSeedAnother()
    {
        var (first, weights) = Run(TinyTraining.Config);
        var (again, sameWeights) = Run(TinyTraining.Config);
        var (other, otherWeights) = Run(TinyTraining.Config with { Seed = 2 });
        Assert.Equal(first.Select(record => record.Loss), again.Select(record => record.Loss));
        Assert.Equal(weights, sameWeights);
        Assert.NotEqual(first.Select(record => record.Loss), other.Select(record => record.Loss));
        Assert.NotEqual(weights, otherWeights);

        static (List<StepRecord> Records, float[] Weights) Run(DreamBoothConfig config)
        {
            using var training = new TinyTraining();
            using var trainer = training.Trainer(config with { MaxTrainSteps = 3 });
            var records = new List<StepRecord>();
            trainer.Run(new TrainingEvents { OnStep = records.Add });
            return (records, training.Weights);
        }
    }

    [Fact]
    public void Run_EpochThatEndsEarly_TakesTheStepAndDividesByTheAccumulation()
    {
        using var training = new TinyTraining { BatchesPerEpoch = 3 };
        using var trainer = training.Trainer(TinyTraining.Config with { GradientAccumulationSteps = 2, NumTrainEpochs = 2 });
        Assert.Equal((2, 4), (trainer.StepsPerEpoch, trainer.MaxSteps));
        var (records, losses) = (new List<StepRecord>(), new List<MicroBatchRecord>());
        trainer.Run(new TrainingEvents { OnStep = records.Add, OnMicroBatch = losses.Add });
        Assert.Equal([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)], training.Loaded);
        Assert.Equal([0L, 1, 2, 3, 4, 5], losses.Select(record => record.Number));
        Assert.Equal([(1, 0), (2, 0), (3, 1), (4, 1)], records.Select(record => (record.Step, record.Epoch)));
        Assert.Equal((losses[0].Loss + losses[1].Loss) / 2, records[0].Loss, 1e-6);
        Assert.Equal(losses[2].Loss, records[1].Loss, 1e-6);
    }

    [Fact]
    public void Run_LoneMicroBatch_HasTheGradientOfItsShareOfTheAccumulation()
    {
        Assert.Equal(Norm(accumulation: 1) / 4, Norm(accumulation: 4), 1e-6);

        static double Norm(int accumulation)
        {
            using var training = new TinyTraining { BatchesPerEpoch = 1 };
            using var trainer = training.Trainer(TinyTraining.Config with { GradientAccumulationSteps = accumulation, MaxTrainSteps = 1 });
            StepRecord? seen = null;
            trainer.Run(new TrainingEvents { OnStep = record => seen = record });
            return seen!.GradNorm;
        }
    }

    [Fact]
    public void Run_CancelledBetweenMicroBatches_DropsTheStepAtHandAndKeepsTheOthers()
    {
        using var training = new TinyTraining { BatchesPerEpoch = 4 };
        using var trainer = training.Trainer(TinyTraining.Config with { GradientAccumulationSteps = 2, MaxTrainSteps = 5 });
        using var source = new CancellationTokenSource();
        float[]? afterFirst = null;
        var summary = trainer.Run(
            new TrainingEvents
            {
                OnStep = _ => afterFirst = training.Weights,
                OnMicroBatch = record =>
                {
                    if (record.Number == 2)
                        source.Cancel();
                },
            },
            cancellation: source.Token);
        Assert.Equal((1, true), (summary.Steps, summary.Cancelled));
        Assert.Equal(3, training.Loaded.Count);
        Assert.Equal(afterFirst, training.Weights);

        var rest = trainer.Run();
        Assert.Equal((5, false), (rest.Steps, rest.Cancelled));
        using var whole = new TinyTraining { BatchesPerEpoch = 4 };
        using var uninterrupted = whole.Trainer(TinyTraining.Config with { GradientAccumulationSteps = 2, MaxTrainSteps = 5 });
        uninterrupted.Run();
        Assert.Equal(whole.Weights, training.Weights);
    }

    [Fact]
    public void Run_LossThatIsNoNumber_EndsBeforeTheWeightsAreTouched()
    {
        using var training = new TinyTraining { BrokenAt = 1 };
        using var trainer = training.Trainer(TinyTraining.Config with { MaxTrainSteps = 3 });
        float[]? afterFirst = null;
        var error = Assert.Throws<NonFiniteException>(
            () => trainer.Run(new TrainingEvents { OnStep = _ => afterFirst = training.Weights }));
        Assert.StartsWith("Step 2: the loss is NaN", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, trainer.StepsDone);
        Assert.Equal(afterFirst, training.Weights);
    }

    [Theory]
    [InlineData(1e308, 1e-8, 1e-4, "learning_rate is 1E+308")]
    [InlineData(1e100, 1e-8, 0, "learning_rate is 1E+100")]
    [InlineData(1e-4, 1e-50, 1e-4, "adam_epsilon is 1E-50, which is 0 in float32")]
    [InlineData(1, 1e-8, 1e300, "adam_weight_decay is 1E+300: at the rate 1")]
    public void Run_StepThatLeavesWeightsBeyondFloat32_IsTakenBackWithGroupAndCause(
        double rate, double epsilon, double decay, string cause)
    {
        using var training = new TinyTraining();
        var before = training.Weights;
        using var trainer = training.Trainer(
            TinyTraining.Config with { MaxTrainSteps = 1, LearningRate = rate, AdamEpsilon = epsilon, AdamWeightDecay = decay });
        var events = new TrainingEvents { OnStep = _ => Assert.Fail("the step is taken back") };
        var error = Assert.Throws<NonFiniteException>(() => trainer.Run(events));
        Assert.Matches(
            @"^Step 1 leaves the LoRA of transformer not finite "
            + @"\(first: transformer\.transformer_blocks\.0\.attn\.to_[qv]\.lora_[AB]\.weight\) "
            + "and is taken back: ", error.Message);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, trainer.StepsDone);
        Assert.Equal(before, training.Weights);
    }

    [Fact]
    public void Run_GradientThatIsNotFinite_IsNamedAndTheStepNotTaken()
    {
        using var training = new TinyTraining();
        var before = training.Weights;
        var (name, matrix) = training.Adapter.Layers[1].Named.Last();
        using var trainer = training.Trainer(
            TinyTraining.Config with { MaxTrainSteps = 1, GradientAccumulationSteps = 2 }, new SpoiledGradient(matrix));
        var error = Assert.Throws<NonFiniteException>(() => trainer.Run());
        Assert.Matches(
            $@"^Step 1: the loss is [\d.]+ and the gradient norm \S+ "
            + $@"\(first: {name.Replace(".", @"\.", StringComparison.Ordinal)}\); it is not taken",
            error.Message);
        Assert.Equal(before, training.Weights);
    }

    [Fact]
    public void Run_RateThatMakesTheWeightsGrow_NamesTheRateWhenTheLossIsNoNumber()
    {
        using var training = new TinyTraining();
        using var trainer = training.Trainer(TinyTraining.Config with { MaxTrainSteps = 20, LearningRate = 1e25 });
        var error = Assert.Throws<NonFiniteException>(() => trainer.Run());
        Assert.Contains("Step 2: the loss is ", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "the LoRA of transformer has grown to weights of 1e+25. Lower learning_rate (now 1E+25)",
            error.Message, StringComparison.Ordinal);
        Assert.All(training.Weights, weight => Assert.True(float.IsFinite(weight)));
    }

    [Fact]
    public void Run_AfterAStepThatWasTakenBack_GoesOnAsIfItHadNotBeen()
    {
        using var whole = new TinyTraining();
        using (var trainer = whole.Trainer(TinyTraining.Config with { MaxTrainSteps = 3 }))
            trainer.Run();
        using var broken = new TinyTraining { BrokenAt = 1 };
        using (var trainer = broken.Trainer(TinyTraining.Config with { MaxTrainSteps = 3 }))
        {
            Assert.Throws<NonFiniteException>(() => trainer.Run());
            trainer.Run();
        }

        Assert.Equal(whole.Weights, broken.Weights);
    }

    [Fact]
    public void Run_PriorPreservation_ReportsBothLossesAndTheirWeightedSum()
    {
        using var training = new TinyTraining();
        using var trainer = training.Trainer(
            TinyTraining.Config with { MaxTrainSteps = 2, WithPriorPreservation = true, PriorLossWeight = 0.25 });
        trainer.Run(new TrainingEvents
        {
            OnStep = record =>
            {
                Assert.Equal(record.InstanceLoss + (0.25 * record.PriorLoss!.Value), record.Loss, 1e-5);
                Assert.NotEqual(record.InstanceLoss, record.PriorLoss);
            },
        });
    }

    [Fact]
    public void Run_WarmUpAndScaledRate_AreWhatTheRecordsSay()
    {
        using var training = new TinyTraining();
        var config = TinyTraining.Config with
        {
            MaxTrainSteps = 3,
            LearningRate = 1e-3,
            ScaleLr = true,
            GradientAccumulationSteps = 3,
            TrainBatchSize = 2,
            LrScheduler = LearningRateScheduleKind.ConstantWithWarmup,
            LrWarmupSteps = 2,
        };
        using var trainer = training.Trainer(config);
        var before = training.Weights;
        var records = new List<StepRecord>();
        trainer.Run(new TrainingEvents
        {
            OnStep = record =>
            {
                records.Add(record);
                if (record.Step == 1)
                    Assert.Equal(before, training.Weights);
                Assert.True(record.Seconds > 0 && record.GradNorm > 0);
                Assert.Equal(6 / record.Seconds, record.ImagesPerSecond, 1e-6);
            },
        });
        Assert.Equal([0, 3e-3, 6e-3], records.Select(record => record.LearningRate));
        Assert.All(records, record => Assert.Null(record.TextEncoderLr));
    }

    [Fact]
    public void Run_WorkBetweenSteps_IsNoPartOfTheirSeconds()
    {
        const double Pause = 0.2;
        using var training = new TinyTraining();
        using var trainer = training.Trainer(TinyTraining.Config with { MaxTrainSteps = 3 });
        var seconds = 0.0;
        var summary = trainer.Run(new TrainingEvents
        {
            OnStep = record =>
            {
                seconds += record.Seconds;
                Thread.Sleep(TimeSpan.FromSeconds(Pause));
            },
        });
        Assert.InRange(seconds, 0, summary.Seconds - (3 * Pause) + 0.05);
    }

    [Fact]
    public void Run_EachStep_LeavesNoTensors()
    {
        using var training = new TinyTraining();
        using var trainer = training.Trainer(TinyTraining.Config with { MaxTrainSteps = 4, WithPriorPreservation = true });
        var live = new List<long>();
        trainer.Run(new TrainingEvents
        {
            OnStep = _ => live.Add(TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount),
        });
        Assert.Single(live.Skip(1).Distinct());
    }

    [Fact]
    public void Constructor_AdapterWithoutGradients_IsRefused()
    {
        using var training = new TinyTraining();
        using var model = Dreambooth.Lab.Models.Transformers.SD3Transformer2DModel.Load(
            Path.Combine(Pipelines.TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
        using var adapter = Dreambooth.Lab.Peft.LoraAdapter.Create(
            "frozen", [(new("transformer", model), new() { TargetModules = ["attn.to_q"] })], 0, CPU, ScalarType.Float32, trainable: false);
        Assert.Throws<ArgumentException>(
            () => new DreamBoothTrainer(
                TinyTraining.Config, model, new Dreambooth.Lab.Schedulers.FlowMatchEulerDiscreteSchedulerConfig(), adapter, training));
    }

    // Draws as usual, and spoils one gradient before the pass adds to it.
    private sealed class SpoiledGradient(Tensor matrix) : ITrainingDraws
    {
        public TrainingDraw Draw(long microBatch, long[] shape)
        {
            using (no_grad())
                matrix.grad!.fill_(float.PositiveInfinity);
            return new TrainingDraw(zeros(shape), zeros([shape[0]], ScalarType.Int64));
        }
    }
}
