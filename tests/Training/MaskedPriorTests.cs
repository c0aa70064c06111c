using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Native.Cuda;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>What masks leave out, held to the prediction of the model without its LoRA.</summary>
public sealed class MaskedPriorTests : IDisposable
{
    // Sums in another order differ by rounding.
    private const double Rounding = 1e-5;

    private readonly PictureSamples _pictures = new();
    private readonly PictureSamples _masks = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-masked-prior-").FullName;
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load();

    public MaskedPriorTests()
    {
        _pictures.AddMany(2);
        for (var i = 0; i < 2; i++)
            ImageEncoder.Save(_masks.PathOf($"{i}.png"), Marked(30));
    }

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
    {
        Mask = Dreambooth.Lab.Data.MaskSource.Folder,
        MaskDataDir = _masks.Folder,
        MaskedPriorWeight = 0.5,
        LearningRate = 1e-2,
        CheckpointingSteps = 2,
        MaxTrainSteps = 3,
        NoMetadata = true,
    };

    public void Dispose()
    {
        _pipeline.Dispose();
        _pictures.Dispose();
        _masks.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // Rows of latents: two of the instance and, with class pictures, two of the class, of which nothing is held.
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, true, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    public void Compute_Backward_IsThatOfTheTermComputedByItself(bool checkpoint, bool trainText, bool withClass)
    {
        using var scope = NewDisposeScope();
        using var adapter = TinyTraining.AdapterOf(_pipeline, b: 0.05);
        using var objective = Objective(adapter, checkpoint, withClass);
        var (batch, draw) = (Batch(trainText, withClass), Draw(withClass));
        var loss = objective.Compute(batch, draw);
        loss.Backward(1);
        var gradients = adapter.Gradients!.clone();
        adapter.ClearGradients();

        var (timesteps, sigmas) = new FlowMatchEulerDiscreteScheduler(new() { Shift = 3 }).TrainTables();
        var (times, levels) = (timesteps.index_select(0, draw.Indices), sigmas.index_select(0, draw.Indices).view(-1, 1, 1, 1));
        var noisy = ((1 - levels) * batch.Latents) + (levels * draw.Noise);
        Tensor Denoised() => noisy - (levels * _pipeline.Transformer.forward(
            noisy, times, batch.Text.Embeddings().PromptEmbeds, batch.Text.Embeddings().PooledPromptEmbeds));
        adapter.Weight = 0;
        Tensor before;
        using (no_grad())
            before = Denoised()[..2];
        adapter.Weight = 1;
        var now = Denoised();
        var held = ((now[..2] - before).pow(2) * batch.Outside!).mean();
        var instance = ((now[..2] - batch.Latents[..2]).pow(2) * batch.Mask![..2]).mean();
        var classes = withClass ? (now[2..] - batch.Latents[2..]).pow(2).mean() : zeros([]);
        (instance + (0.25 * classes) + (0.5 * held)).backward();

        Assert.True(held.item<float>() > 1e-6);
        GoldenAssert.Close((held + classes).reshape(1), loss.Prior!.reshape(1), Rounding, "prior");
        GoldenAssert.Close(instance.reshape(1), loss.Instance.reshape(1), Rounding, "instance");
        GoldenAssert.Close(adapter.Gradients!, gradients, Rounding, "gradients");
        Assert.Equal(1, adapter.Weight);
    }

    [Fact]
    public void MicroStep_Recorded_EqualsPlainCalls()
    {
        (Tensor Gradients, List<float> Losses) Train(StandInRecorder? recorder)
        {
            using var adapter = TinyTraining.AdapterOf(_pipeline, b: 0.05);
            using var objective = Objective(adapter, checkpoint: false, withClass: true);
            using var step = new MicroStep(
                (batch, draw) =>
                {
                    var loss = objective.Compute(batch, draw);
                    loss.Backward(1);
                    return loss;
                },
                adapter, recorder is null ? null : recorder.Record);
            List<float> losses = [];
            for (var i = 0; i < 3; i++)
            {
                using var inner = NewDisposeScope();
                losses.Add(step.Run(Batch(trainText: true, withClass: true, i), Draw(withClass: true, i)).Prior!.item<float>());
            }

            Assert.Equal(recorder is not null, step.Replayed);
            return (adapter.Gradients!.clone(), losses);
        }

        using var scope = NewDisposeScope();
        var (plain, recorded) = (Train(null), Train(new StandInRecorder()));
        Assert.Equal(plain.Losses, recorded.Losses);
        GoldenAssert.Exact(plain.Gradients, recorded.Gradients, "gradients");
    }

    [Fact]
    public void Train_MaskedPrior_BeginsAtZeroActsAndResumes()
    {
        var steps = Train("held", Config);
        Assert.Equal(0, steps[0].PriorLoss);
        Assert.All(steps.Skip(1), step => Assert.True(step.PriorLoss > 0));
        var masked = Train("masked", Config with { MaskedPriorWeight = 0 });
        Assert.All(masked, step => Assert.Null(step.PriorLoss));
        Assert.Equal(masked[0].InstanceLoss, steps[0].InstanceLoss);
        Assert.NotEqual(masked[^1].InstanceLoss, steps[^1].InstanceLoss);

        var resumed = Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
        Train("resumed", Config with { MaxTrainSteps = 2 });
        Train("resumed", resumed);
        Assert.Equal(Lora("held"), Lora("resumed"));
        var error = Assert.Throws<LabException>(() => Train("resumed", resumed with { MaskedPriorWeight = 1 }));
        Assert.Contains("masked_prior_weight was 0.5 and is 1", error.Message, StringComparison.Ordinal);
    }

    // Crops and masks are drawn and made anew in each step; a mask of white leaves nothing to hold.
    [Fact]
    public void Train_BesideTheTeacherWithCropsDrawnAnew_AddsBoth()
    {
        var teacher = Config with
        {
            WithPriorPreservation = true,
            PriorFrom = PriorSource.Teacher,
            ClassPrompt = "the moon over the sea",
            PriorLossWeight = 0.5,
            AugmentEachEpoch = true,
        };
        var both = Train("both", teacher);
        var alone = Train("alone", teacher with { MaskedPriorWeight = 0 });
        Assert.Equal((0, 0), (both[0].PriorLoss, alone[0].PriorLoss));
        Assert.Equal(alone[0].InstanceLoss, both[0].InstanceLoss);
        Assert.True(both[1].PriorLoss > alone[1].PriorLoss);
        for (var i = 0; i < 2; i++)
            ImageEncoder.Save(_masks.PathOf($"{i}.png"), Marked(60));
        Assert.All(Train("white", Config), step => Assert.Equal(0, step.PriorLoss));
    }

    [Fact]
    public void Validate_WithWhatItDoesNotGoWith_IsRefused()
    {
        Config.Validate();
        Assert.Empty(Config.Notices());
        string Message(DreamBoothConfig config) => Assert.Throws<LabException>(config.Validate).Message;
        Assert.Contains(
            "masked_prior_weight needs mask", Message(Config with { Mask = default, MaskDataDir = null }), StringComparison.Ordinal);
        Assert.Contains(
            "masked_prior_weight does not go with mask_background", Message(Config with { MaskBackground = 0.5 }),
            StringComparison.Ordinal);
    }

    private static RgbImage Marked(int columns)
    {
        var mask = new RgbImage(60, 48);
        for (var i = 0; i < 60 * 48; i++)
            mask[i % 60, i / 60] = i % 60 < columns ? ((byte)255, (byte)255, (byte)255) : ((byte)0, (byte)0, (byte)0);
        return mask;
    }

    private IReadOnlyList<StepRecord> Train(string name, DreamBoothConfig config)
    {
        config = config with { OutputDir = Path.Combine(_folder, name) };
        TrainingSession.Train(config, _pipeline);
        return StepLog.Read(config.OutputDir);
    }

    private byte[] Lora(string run) => File.ReadAllBytes(Path.Combine(_folder, run, LoraFile.DefaultName));

    private FlowMatchingObjective Objective(LoraAdapter adapter, bool checkpoint, bool withClass) =>
        new(_pipeline.Transformer, new FlowMatchEulerDiscreteSchedulerConfig { Shift = 3 })
        {
            GradientCheckpointing = checkpoint,
            PriorLossWeight = withClass ? 0.25 : null,
            MaskedPrior = (adapter, 0.5),
        };

    private TrainingBatch Batch(bool trainText, bool withClass, int number = 0)
    {
        string[] prompts = withClass ? ["cat", "gmc cat", "a cat", "a cat"] : ["cat", "gmc cat"];
        var text = TrainingText.Of(
            _pipeline.Prompts, prompts,
            SeededNoise.Normal([prompts.Length, 3, _pipeline.Transformer.Config.JointAttentionDim], (ulong)(100 + number)));
        using (var noGradients = no_grad())
        {
            if (!trainText)
                text = text.Embeddings();
        }

        var marked = zeros([2, 1, 4, 4]);
        marked[.., .., .., ..1] = 1;
        return new TrainingBatch(SeededNoise.Normal([prompts.Length, 16, 4, 4], (ulong)number), text)
        {
            Mask = cat([marked * 4, .. withClass ? [ones_like(marked)] : Array.Empty<Tensor>()]),
            Outside = (1 - marked) / 0.75,
        };
    }

    private static TrainingDraw Draw(bool withClass, int number = 0)
    {
        long[] places = withClass ? [100 + number, 700, 300, 500] : [100 + number, 700];
        return new(SeededNoise.Normal([places.Length, 16, 4, 4], (ulong)(50 + number)), tensor(places));
    }
}
