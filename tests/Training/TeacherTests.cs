using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Native.Cuda;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Preservation by the model without its LoRA as teacher, of the class prompt and of an empty one.</summary>
public sealed class TeacherTests : IDisposable
{
    // Sums in another order differ by rounding.
    private const double Rounding = 1e-5;

    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-teacher-").FullName;
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load();

    public TeacherTests() => _pictures.AddMany(3);

    public void Dispose()
    {
        _pipeline.Dispose();
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    public void Compute_LoraThatDoesNothingYet_HasALossOfExactlyZero(bool precondition, bool checkpoint, bool trainText)
    {
        using var scope = NewDisposeScope();
        using var adapter = TinyTraining.AdapterOf(_pipeline, b: 0);
        using var objective = Objective(adapter, precondition, checkpoint);
        var loss = objective.Compute(Batch(trainText), Draw());
        loss.Backward(1);
        Assert.Equal(0, loss.Prior!.item<float>());
        Assert.Equal(loss.Instance.item<float>(), loss.Total.item<float>());
        Assert.Equal(1, adapter.Weight);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Compute_Backward_IsThatOfTheTermsComputedByThemselves(bool checkpoint, bool trainText)
    {
        using var scope = NewDisposeScope();
        using var adapter = TinyTraining.AdapterOf(_pipeline, b: 0.05);
        using var objective = Objective(adapter, true, checkpoint);
        var (batch, draw) = (Batch(trainText), Draw());
        var loss = objective.Compute(batch, draw);
        loss.Backward(1);
        var gradients = adapter.Gradients!.clone();
        adapter.ClearGradients();

        var (noisy, timesteps, sigmas) = Noisy(batch.Latents, draw);
        Tensor Denoised(TrainingText text, Tensor[] rows) => cat([.. rows.Select(_ => noisy)]) - (cat([.. rows.Select(_ => sigmas)])
            * _pipeline.Transformer.forward(
                cat([.. rows.Select(_ => noisy)]), cat(rows), text.Embeddings().PromptEmbeds, text.Embeddings().PooledPromptEmbeds));
        Tensor kept;
        adapter.Weight = 0;
        using (no_grad())
            kept = Denoised(batch.Preserved!, [timesteps, timesteps]);
        adapter.Weight = 1;
        var instance = (Denoised(batch.Text, [timesteps]) - batch.Latents).pow(2).mean();
        var preserved = 2 * (Denoised(batch.Preserved!, [timesteps, timesteps]) - kept).pow(2).mean();
        (instance + (0.5 * preserved)).backward();

        Assert.True(preserved.item<float>() > 1e-6);
        GoldenAssert.Close(preserved.reshape(1), loss.Prior!.reshape(1), Rounding, "loss");
        GoldenAssert.Close(instance.reshape(1), loss.Instance.reshape(1), Rounding, "instance");
        GoldenAssert.Close(adapter.Gradients!, gradients, Rounding, "gradients");
        foreach (var segment in adapter.Segments.Skip(1))
            Assert.Equal(trainText, gradients.narrow(0, segment.Offset, segment.Length).abs().max().item<float>() > 0);
    }

    [Fact]
    public void Compute_Backward_IsTheSlopeOfTheLoss()
    {
        using var scope = NewDisposeScope();
        using var adapter = TinyTraining.AdapterOf(_pipeline, b: 0.3);
        using var objective = Objective(adapter, true, false, weight: 50);
        var (batch, draw) = (Batch(trainText: false), Draw());
        objective.Compute(batch, draw).Backward(1);
        var direction = adapter.Gradients! / adapter.Gradients!.norm();
        double Loss(double step)
        {
            using var noGradients = no_grad();
            adapter.Parameters.add_(direction, step);
            var loss = objective.Compute(batch, draw).Total.item<float>();
            adapter.Parameters.add_(direction, -step);
            return loss;
        }

        const double Step = 0.02;
        Assert.Equal(1, (Loss(Step) - Loss(-Step)) / (2 * Step) / adapter.Gradients!.norm().item<float>(), 0.02);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void MicroStep_Recorded_EqualsPlainCalls(bool trainText)
    {
        (Tensor Gradients, float[] Losses) Train(StandInRecorder? recorder)
        {
            using var adapter = TinyTraining.AdapterOf(_pipeline, b: 0.05);
            using var objective = Objective(adapter, true, false);
            var losses = new List<float>();
            using (var step = new MicroStep(
                (batch, draw) =>
                {
                    var loss = objective.Compute(batch, draw);
                    loss.Backward(1);
                    return loss;
                },
                adapter, recorder is null ? null : recorder.Record))
            {
                for (var i = 0; i < 3; i++)
                {
                    using var inner = NewDisposeScope();
                    var loss = step.Run(Batch(trainText, number: i), Draw(i));
                    losses.AddRange([loss.Total.item<float>(), loss.Instance.item<float>(), loss.Prior!.item<float>()]);
                }

                Assert.Equal(recorder is not null, step.Replayed);
            }

            return (adapter.Gradients!.clone(), [.. losses]);
        }

        using var scope = NewDisposeScope();
        var plain = Train(null);
        var recorded = Train(new StandInRecorder());
        Assert.Equal(plain.Losses, recorded.Losses);
        GoldenAssert.Exact(plain.Gradients, recorded.Gradients, "gradients");
    }

    [Fact]
    public void Train_ByTheTeacher_MakesNoClassPicturesAndBeginsAtZero()
    {
        var steps = Train("teacher", Config);
        Assert.Equal(0, steps[0].PriorLoss);
        Assert.All(steps.Skip(1), step => Assert.True(step.PriorLoss > 0));
        Assert.Equal(["teacher"], Directory.EnumerateDirectories(_folder).Select(Path.GetFileName));
        Assert.Empty(Directory.EnumerateFiles(_folder, "*.jpg", SearchOption.AllDirectories));
        var plain = Train("plain", Config with { WithPriorPreservation = false, PriorFrom = PriorSource.ClassPictures });
        Assert.All(plain, step => Assert.Null(step.PriorLoss));
        Assert.Equal(plain[0].InstanceLoss, steps[0].InstanceLoss);
        Assert.NotEqual(plain[^1].Loss, steps[^1].InstanceLoss);
        var blank = Train("blank", Config with { WithPriorPreservation = false, PriorFrom = default, BlankPromptPreservation = true });
        Assert.Equal(0, blank[0].PriorLoss);
        Assert.NotEqual(steps[^1].PriorLoss, blank[^1].PriorLoss);
        Assert.True(Train("both", Config with { BlankPromptPreservation = true })[^1].PriorLoss > 0);
    }

    [Fact]
    public void Train_BlankPromptBesideClassPictures_AddsBothLosses()
    {
        var classes = Config with
        {
            PriorFrom = PriorSource.ClassPictures,
            ClassDataDir = Out("class"),
            NumClassImages = 2,
            SampleBatchSize = 2,
        };
        var without = Train("classes", classes);
        var with = Train("blank", classes with { BlankPromptPreservation = true });
        Assert.Equal(without[0].PriorLoss, with[0].PriorLoss);
        Assert.NotEqual(without[^1].PriorLoss, with[^1].PriorLoss);
    }

    [Fact]
    public void Train_Resumed_EndsAsAnUninterruptedRun()
    {
        var config = Config with { TrainTextEncoder = true, BlankPromptPreservation = true };
        Train("whole", config);
        Train("resumed", config with { MaxTrainSteps = 2 });
        Train("resumed", config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest });
        Assert.Equal(
            File.ReadAllBytes(Out("whole", LoraFile.DefaultName)), File.ReadAllBytes(Out("resumed", LoraFile.DefaultName)));
        var error = Assert.Throws<LabException>(
            () => Train("resumed", config with { BlankPromptPreservation = false, ResumeFromCheckpoint = TrainingCheckpoint.Latest }));
        Assert.Contains("blank_prompt_preservation was true and is false", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_OnTwoRanks_IsTheTrainingOfOne()
    {
        var config = Config with { GradientAccumulationSteps = 2, Tokenizers = TinyTokenizers.Root };
        var alone = Train("alone", config);
        RankThreads.Run(2, ranks => TrainingSession.Train(
            config with { OutputDir = Out("two"), GradientAccumulationSteps = 1 }, ranks, null, CancellationToken.None));
        foreach (var (one, two) in alone.Zip(StepLog.Read(Out("two"))))
        {
            Assert.Equal(one.InstanceLoss, two.InstanceLoss, Rounding);
            Assert.Equal(one.PriorLoss!.Value, two.PriorLoss!.Value, Rounding);
        }
    }

    [Fact]
    public void Train_ByTheTeacher_LeavesNoTensors() => Assert.Equal(
        0, LiveTensors.LeftBy(() => Train("leaks", Config with { BlankPromptPreservation = true, OverwriteOutputDir = true })));

    [Fact]
    public void Validate_Teacher_NeedsAClassPromptAndNoFolder()
    {
        Config.Validate();
        Assert.Empty(Config.Notices());
        string Message(DreamBoothConfig config) => Assert.Throws<LabException>(config.Validate).Message;
        Assert.Contains("needs class_prompt: what is kept", Message(Config with { ClassPrompt = null }), StringComparison.Ordinal);
        Assert.Contains(
            "needs class_data_dir", Message(Config with { PriorFrom = PriorSource.ClassPictures }), StringComparison.Ordinal);
        Assert.Contains(
            "prior_from teacher does not go with subjects", Message(Config with { Subjects = "subjects.json" }), StringComparison.Ordinal);
        Assert.Equal(
            ["class_data_dir has no effect with prior_from teacher: no class pictures are used."],
            (Config with { ClassDataDir = "c" }).Notices());
        Assert.Equal(
            ["prior_from has no effect without with_prior_preservation."],
            (Config with { WithPriorPreservation = false, ClassPrompt = null }).Notices());
    }

    [Fact]
    public void MemorySettings_OfTheTeacher_CountTheInstanceRowsOnceMoreForEachPrompt()
    {
        var rows = MemorySettings.Of(Config with { WithPriorPreservation = false, TrainBatchSize = 3 }, 3).Rows;
        Assert.Equal(3, rows);
        Assert.Equal(6, MemorySettings.Of(Config with { TrainBatchSize = 3 }, 3).Rows);
        Assert.Equal(9, MemorySettings.Of(Config with { TrainBatchSize = 3, BlankPromptPreservation = true }, 3).Rows);
    }

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Out("run")) with
    {
        WithPriorPreservation = true,
        PriorFrom = PriorSource.Teacher,
        ClassPrompt = "the moon over the sea",
        LearningRate = 1e-2,
        CheckpointingSteps = 2,
        MaxTrainSteps = 3,
    };

    private IReadOnlyList<StepRecord> Train(string name, DreamBoothConfig config)
    {
        TrainingSession.Train(config with { OutputDir = Out(name) }, _pipeline);
        return StepLog.Read(Out(name));
    }

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);

    private FlowMatchingObjective Objective(LoraAdapter adapter, bool precondition, bool checkpoint, double weight = 0.5) =>
        new(_pipeline.Transformer, new FlowMatchEulerDiscreteSchedulerConfig { Shift = 3 })
        {
            PreconditionOutputs = precondition,
            GradientCheckpointing = checkpoint,
            Teacher = (adapter, weight),
        };

    // Two instance rows; their text, and two prompts that are kept for each.
    private TrainingBatch Batch(bool trainText, int number = 0)
    {
        TrainingText Text(int seed, params string[] prompts) => TrainingText.Of(
            _pipeline.Prompts, prompts,
            SeededNoise.Normal([prompts.Length, 3, _pipeline.Transformer.Config.JointAttentionDim], (ulong)(seed + number)));
        TrainingText[] texts = [Text(100, "cat", "gmc cat"), Text(200, "a cat", "a cat", "", "")];
        if (!trainText)
        {
            using var noGradients = no_grad();
            texts = [.. texts.Select(text => (TrainingText)text.Embeddings())];
        }

        return new TrainingBatch(SeededNoise.Normal([2, 16, 4, 4], (ulong)number), texts[0]) { Preserved = texts[1] };
    }

    private static TrainingDraw Draw(int number = 0) =>
        new(SeededNoise.Normal([2, 16, 4, 4], (ulong)(50 + number)), tensor([100L + number, 700L]));

    private static (Tensor Latents, Tensor Timesteps, Tensor Sigmas) Noisy(Tensor latents, TrainingDraw draw)
    {
        var (timesteps, sigmas) = new FlowMatchEulerDiscreteScheduler(new() { Shift = 3 }).TrainTables();
        sigmas = sigmas.index_select(0, draw.Indices).view(-1, 1, 1, 1);
        return (((1 - sigmas) * latents) + (sigmas * draw.Noise), timesteps.index_select(0, draw.Indices), sigmas);
    }
}
