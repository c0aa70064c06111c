using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class TrainingSessionTrainTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _output = Directory.CreateTempSubdirectory("lab-run-").FullName;

    public TrainingSessionTrainTests() => _pictures.Add("0.png");

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_output, recursive: true);
    }

    [Fact]
    public void Train_CallbackThatFails_KeepsTheStepsDone()
    {
        using var pipeline = TinyPipeline.Load();
        var events = new TrainingEvents
        {
            OnStep = record =>
            {
                if (record.Step == 2)
                    throw new InvalidOperationException("no more");
            },
        };
        Assert.Throws<InvalidOperationException>(() => TrainingSession.Train(Config, pipeline, events));
        Assert.Equal(2, StepLog.Read(_output).Count);
        using var lora = SafetensorsFile.Open(Path.Combine(_output, LoraFile.DefaultName));
        Assert.NotEmpty(lora.Tensors);
    }

    [Fact]
    public void Train_TrainingThatDiverges_LeavesTheLoraAndCheckpointsThatAreThere()
    {
        using var pipeline = TinyPipeline.Load();
        TrainingSession.Train(Config with { CheckpointingSteps = 2 }, pipeline);
        var files = Directory.GetFiles(_output, "*.safetensors", SearchOption.AllDirectories);
        Assert.Equal(3, files.Length);
        var before = files.Select(File.ReadAllBytes).ToList();
        var tooFast = Config with { CheckpointingSteps = 1, LearningRate = 1e25, OverwriteOutputDir = true };
        var error = Assert.Throws<NonFiniteException>(() => TrainingSession.Train(tooFast, pipeline));
        Assert.StartsWith("Step 2: the loss is ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            $" No LoRA was written; the last state that was is {Path.Combine(_output, "checkpoint-2")}.",
            error.Message, StringComparison.Ordinal);
        Assert.Equal(before, files.Select(File.ReadAllBytes));
        var oneStep = Config with { LearningRate = 1e308, MaxTrainSteps = 1 };
        Assert.Throws<NonFiniteException>(() => TrainingSession.Train(oneStep, pipeline));
        Assert.Equal(before, files.Select(File.ReadAllBytes));
    }

    [Theory]
    [InlineData("vae", "The latents of a picture are not finite: the model is damaged, its weights in vae: ")]
    [InlineData("text_encoder", "The embeddings of a prompt are not finite: the model is damaged, its weights in text_encoder: ")]
    [InlineData("transformer", "Likely cause: the model is damaged: ")]
    public void Train_ModelWithAWeightThatIsNoNumber_IsRefusedOnFirstUse(string name, string message)
    {
        using var pipeline = TinyPipeline.Load();
        DamagedModel.Spoil(pipeline, name);
        var error = Assert.Throws<NonFiniteException>(() => TrainingSession.Train(Config, pipeline));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_output, LoraFile.DefaultName)));
    }

    [Fact]
    public void Train_ValidationPicturesThatAreNotFinite_AreLeftOutAndTheTrainingGoesOn()
    {
        using var pipeline = TinyPipeline.Load();
        DamagedModel.Spoil(pipeline, "decoder");
        var stale = Path.Combine(_output, "validation", "step_00002", "img_01.png");
        var (warnings, steps) = (new List<string>(), new List<int>());
        var events = new TrainingEvents
        {
            OnWarning = warnings.Add,
            OnValidationPicture = (step, _) => steps.Add(step),
            OnStep = record =>
            {
                if (record.Step == 1)
                    Dreambooth.Lab.Imaging.ImageEncoder.Save(stale, PictureSamples.Draw(16, 16, 1));
            },
        };
        var config = Config with
        {
            ValidationPrompt = "a cat",
            ValidationSteps = 2,
            NumValidationImages = 3,
            SampleBatchSize = 2,
            ValidationInferenceSteps = 1,
        };
        Assert.Equal(3, TrainingSession.Train(config, pipeline, events).Steps);
        Assert.Equal(3, StepLog.Read(_output).Count);
        Assert.True(File.Exists(Path.Combine(_output, LoraFile.DefaultName)));
        Assert.Empty(steps);
        Assert.Empty(ValidationPicture.List(_output));
        Assert.Equal(2, warnings.Count);
        Assert.StartsWith(
            "3 of 3 validation pictures of step 2 are left out; the training continues. ", warnings[0], StringComparison.Ordinal);
        Assert.Contains("its weights in vae", warnings[0], StringComparison.Ordinal);
        Assert.StartsWith("3 of 3 validation pictures of step 3 ", warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Train_LoadedPipeline_StaysAsItWas()
    {
        using var pipeline = TinyPipeline.Load();
        using var scope = NewDisposeScope();
        Tensor Text() => pipeline.Prompts.Encode(["a cat"], 8).PromptEmbeds;
        var before = Text();
        Assert.Equal(0, LiveTensors.LeftBy(() => TrainingSession.Train(Config with { TrainTextEncoder = true }, pipeline)));
        Assert.NotNull(pipeline.Prompts.T5);
        GoldenAssert.Exact(before, Text());
        Assert.All(pipeline.LoraComponents, component => Assert.DoesNotContain(
            component.Module.named_modules(), entry => entry.module is Dreambooth.Lab.Layers.LoraLinear { Adapters.Count: > 0 }));
    }

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, _output) with
    {
        MaxTrainSteps = 3,
    };
}
