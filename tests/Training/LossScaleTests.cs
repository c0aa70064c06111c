using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Loss scaling of <c>--mixed_precision fp16</c>, after torch.amp.GradScaler's rule.</summary>
public sealed class LossScaleTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-scale-").FullName;

    public LossScaleTests()
    {
        _pictures.AddMany(2);
    }

    private static DreamBoothConfig Config => TinyTraining.Config with { MixedPrecision = MixedPrecision.Fp16, MaxTrainSteps = 6 };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // The default's rule: 65536; half after a bad step, twice after 2000 good ones in a row.
    [Fact]
    public void Rule_GoodAndBadSteps_IsGradScalers()
    {
        using var scale = new LossScale(CPU);
        Assert.Equal(65_536, scale.Factor.item<float>());
        Keep(1999);
        Assert.True(scale.TryBackOff());
        Assert.Equal((32_768.0, 1), (scale.Value, scale.Skipped));
        Keep(1999);
        Assert.Equal(32_768, scale.Value);
        Keep(1);
        Assert.Equal(65_536, scale.Factor.item<float>());
        for (var i = 0; i < 16; i++)
            Assert.True(scale.TryBackOff());
        Assert.Equal(1, scale.Value);
        Assert.False(scale.TryBackOff());
        Assert.Equal(17, scale.Skipped);

        void Keep(int steps)
        {
            for (var i = 0; i < steps; i++)
                scale.Keep();
        }
    }

    // The losses are computed as before; the scale is a power of 2, so that gradients in float32 are the same to the bit.
    [Fact]
    public void Run_Float32Weights_LearnsTheSameToTheBit()
    {
        using TinyTraining plain = new(), scaled = new();
        using (var trainer = plain.Trainer(Config with { MixedPrecision = MixedPrecision.No }))
            trainer.Run();
        var records = new List<StepRecord>();
        using (var trainer = scaled.Trainer(Config))
            trainer.Run(new TrainingEvents { OnStep = records.Add });
        Assert.Equal(plain.Weights, scaled.Weights);
        Assert.All(records, record => Assert.Equal(65_536, record.LossScale));
    }

    // The prior's weight takes gradients beyond float16 until the scale is small enough; the schedule waits, as accelerate's does.
    [Fact]
    public void Run_GradientsThatOverflow_AreLeftOutUntilTheScaleFits()
    {
        var (records, weights) = Steps(Overflowing, null);
        var (scale, good) = (65_536.0, 0);
        foreach (var record in records)
        {
            Assert.Equal((scale, Overflowing.LearningRate * (good / 10.0)), (record.LossScale!.Value, record.LearningRate));
            var isGood = double.IsFinite(record.GradNorm);
            (scale, good) = isGood ? (scale, good + 1) : (scale / 2, good);
        }

        Assert.False(double.IsFinite(records[0].GradNorm));
        Assert.InRange(good, 1, 5);
        Assert.Equal(Enumerable.Range(1, 6), records.Select(record => record.Step));
        Assert.All(weights, weight => Assert.True(float.IsFinite(weight)));

        var ranks = RankThreads.Run(2, ranks => Steps(Overflowing with { GradientAccumulationSteps = 2 }, ranks));
        Assert.Equal(ranks[0].Weights, ranks[1].Weights);
        Assert.Equal(ranks[0].Records.Select(record => record.LossScale), ranks[1].Records.Select(record => record.LossScale));
        Assert.False(double.IsFinite(ranks[0].Records[0].GradNorm));
    }

    [Fact]
    public void Run_AFaultThatNoScaleHelps_IsTold()
    {
        using var training = new TinyTraining { BrokenAt = 1 };
        using var trainer = training.Trainer(Config);
        Assert.Contains("Step 2: the loss is NaN", Assert.Throws<NonFiniteException>(() => trainer.Run()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Train_HalfPrecision_LearnsAndResumesBitForBit()
    {
        var config = TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
        {
            MixedPrecision = MixedPrecision.Fp16,
            MaxTrainSteps = 4,
            CheckpointingSteps = 2,
            LearningRate = 1e-2,
            TrainTextEncoder = true,
            Tokenizers = TinyTokenizers.Root,
        };
        byte[] whole, state;
        string Optimizer(int step) => Path.Combine(config.OutputDir, $"checkpoint-{step}", "optimizer.safetensors");
        using var pipeline = TrainingSession.LoadPipeline(config);
        using (var session = TrainingSession.Prepare(config, pipeline))
        {
            session.Run();
            whole = File.ReadAllBytes(session.Save());
            state = File.ReadAllBytes(Optimizer(4));
            Assert.Equal([65_536.0, 65_536, 65_536, 65_536], StepLog.Read(config.OutputDir).Select(record => record.LossScale!.Value));
        }

        using (var session = TrainingSession.Prepare(config with { ResumeFromCheckpoint = "checkpoint-2" }, pipeline))
        {
            session.Run();
            Assert.Equal(whole, File.ReadAllBytes(session.Save()));
            Assert.Equal(state, File.ReadAllBytes(Optimizer(4)));
        }

        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors;
        using (var file = Checkpoint.Open(Optimizer(2)))
            tensors = file.Names.ToDictionary(name => name, name => file.Load(name));
        Assert.Equal([65_536, 2, 0], tensors["loss_scale"].data<double>().ToArray());
        tensors.Remove("loss_scale");
        SafetensorsWriter.Save(Optimizer(2), tensors);
        Assert.Contains(
            "has no 'loss_scale' of mixed_precision fp16",
            Assert.Throws<LabException>(
                () => TrainingSession.Prepare(config with { ResumeFromCheckpoint = "checkpoint-2" }, pipeline)).Message,
            StringComparison.Ordinal);
    }

    private static DreamBoothConfig Overflowing => Config with
    {
        WithPriorPreservation = true,
        PriorLossWeight = 500,
        LrScheduler = LearningRateScheduleKind.ConstantWithWarmup,
        LrWarmupSteps = 10,
        LearningRate = 1e-3,
    };

    private static (List<StepRecord> Records, float[] Weights) Steps(DreamBoothConfig config, Rendezvous? ranks)
    {
        using var training = new TinyTraining(ScalarType.Float16);
        using var collective = ranks is null ? null : ICollective.Open(ranks, CPU);
        using var trainer = training.Trainer(config, collective: collective);
        var records = new List<StepRecord>();
        trainer.Run(new TrainingEvents { OnStep = records.Add });
        return (records, training.Weights);
    }
}
