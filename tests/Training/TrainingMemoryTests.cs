using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Profiling;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Training in every memory mode: the same losses, weights and pictures, and less of the models in memory.</summary>
public sealed class TrainingMemoryTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-memory-").FullName;

    public TrainingMemoryTests()
    {
        _pictures.AddMany(2);
    }

    public static TheoryData<bool> WithAndWithoutClip => [true, false];

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
    {
        Tokenizers = TinyTokenizers.Root,
        WithPriorPreservation = true,
        ClassDataDir = Path.Combine(_folder, "class"),
        ClassPrompt = "an animal",
        NumClassImages = 2,
        GradientAccumulationSteps = 2,
        LearningRate = 1e-3,
        ValidationPrompt = "a dog",
        ValidationSteps = 2,
        NumValidationImages = 2,
        ValidationInferenceSteps = 1,
        ValidationLossSteps = 2,
        MaxTrainSteps = 3,
    };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(WithAndWithoutClip))]
    public void Run_BalancedAndCheckpointed_AreTheFastRun(bool trainTextEncoder)
    {
        var fast = Train(Config with { TrainTextEncoder = trainTextEncoder, Memory = MemoryMode.Fast });
        var balanced = Train(Config with { TrainTextEncoder = trainTextEncoder, Memory = MemoryMode.Balanced });
        Assert.Equal(fast.Losses, balanced.Losses);
        Assert.Equal(fast.Pictures, balanced.Pictures);
        Assert.Equal(fast.Weights, balanced.Weights);

        // Low adds gradient checkpointing, and nothing else that could show.
        var checkpointed = Train(
            Config with { TrainTextEncoder = trainTextEncoder, Memory = MemoryMode.Fast, GradientCheckpointing = true });
        var low = Train(Config with { TrainTextEncoder = trainTextEncoder, Memory = MemoryMode.Low });
        Assert.Equal(checkpointed.Losses, low.Losses);
        Assert.Equal(checkpointed.Pictures, low.Pictures);
        Assert.Equal(checkpointed.Weights, low.Weights);
        GoldenAssert.Close(tensor(fast.Weights), tensor(low.Weights), 1e-4);
        Assert.Equal(fast.Losses[0], low.Losses[0]);
    }

    [Fact]
    public void Prepare_Balanced_KeepsInMemoryWhatTheStepsNeed()
    {
        foreach (var trained in new[] { false, true })
        {
            var config = Config with { TrainTextEncoder = trained, Memory = MemoryMode.Balanced };
            using var pipeline = TrainingSession.LoadPipeline(config);
            Assert.Equal([true, false, false, false, false], InMemory(pipeline));
            using (var session = TrainingSession.Prepare(config, pipeline))
            {
                Assert.Equal([true, false, trained, trained, false], InMemory(pipeline));
                session.Run();
                Assert.Equal([true, false, trained, trained, false], InMemory(pipeline));
            }

            Assert.Equal([true, false, false, false, false], InMemory(pipeline));
        }
    }

    [Fact]
    public void Prepare_Balanced_ReadsT5ForValidationPicturesAhead()
    {
        var model = CopyModel();
        var config = Config with { PretrainedModelNameOrPath = model, Memory = MemoryMode.Balanced };
        using var pipeline = TrainingSession.LoadPipeline(config);
        using var session = TrainingSession.Prepare(config, pipeline);
        File.SetLastWriteTimeUtc(Path.Combine(model, "text_encoder_3", "model.safetensors"), DateTime.UnixEpoch);
        Assert.Equal(2, session.GenerateValidation().Count);
    }

    [Fact]
    public void Prepare_TransformerInBlocks_IsRefused()
    {
        using var pipeline = StableDiffusion3Pipeline.Load(
            TinyPipeline.Folder, new PipelineOptions
            {
                TokenizersFolder = TinyTokenizers.Root,
                Memory = MemoryMode.Low,
                StreamTransformer = true,
            });
        var error = Assert.Throws<LabException>(() => TrainingSession.Prepare(Config, pipeline));
        Assert.Contains("for generation only", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadPipeline_Auto_AsksForTheMode()
    {
        var asked = new List<string>();
        using var chosen = TrainingSession.LoadPipeline(
            Config, new TrainingEvents { ChooseMemory = model => { asked.Add(model); return MemoryMode.Balanced; } });
        Assert.Equal([TinyPipeline.Folder], asked);
        Assert.Equal(MemoryMode.Balanced, chosen.Options.Memory);
        using var plain = TrainingSession.LoadPipeline(Config);
        Assert.Equal(MemoryMode.Fast, plain.Options.Memory);
        using var explicitly = TrainingSession.LoadPipeline(
            Config with { Memory = MemoryMode.Low }, new TrainingEvents { ChooseMemory = _ => throw new InvalidOperationException() });
        Assert.Equal(MemoryMode.Low, explicitly.Options.Memory);
    }

    [Fact]
    public void Prepare_OtherMode_GoesOnFromTheCheckpoint()
    {
        var config = Config with { ValidationPrompt = null, CheckpointingSteps = 2, Memory = MemoryMode.Fast };
        var whole = Train(config with { OutputDir = Path.Combine(_folder, "whole") });
        Train(config with { MaxTrainSteps = 2 });
        Assert.Equal(
            whole.Weights, Train(config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest, Memory = MemoryMode.Balanced }).Weights);
    }

    [Fact]
    public void Run_EveryMode_LeavesNoTensors()
    {
        Assert.Equal(0, LiveTensors.LeftBy(() => Train(Config with { Memory = MemoryMode.Balanced, TrainTextEncoder = true })));
        Assert.Equal(0, LiveTensors.LeftBy(() => Train(Config with { Memory = MemoryMode.Low })));
    }

    [Fact]
    public void Run_Balanced_PeaksLower()
    {
        Assert.SkipUnless(PeakMemory.IsCounted, "the peak of memory is not counted here");
        var fast = PeakMemory.AtLeastOf(() => Train(Config with { Memory = MemoryMode.Fast }));
        var balanced = PeakMemory.Of(() => Train(Config with { Memory = MemoryMode.Balanced }));
        using var pipeline = TinyPipeline.Load();
        var spared = pipeline.Parts.Single(part => part.Name == "text_encoder_3").Bytes;
        Assert.True(balanced < fast - (spared * 8 / 10), $"{balanced} beside {fast}; T5 has {spared}");
    }

    private static (double[] Losses, float[] Weights, byte[] Pictures) Train(DreamBoothConfig config)
    {
        var (losses, pictures) = (new List<double>(), new List<RgbImage>());
        var events = new TrainingEvents
        {
            OnValidationPicture = (_, picture) => pictures.Add(picture),
            OnStep = record =>
            {
                losses.Add(record.Loss);
                if (record.ValidationLoss is { } loss)
                    losses.Add(loss);
            },
        };
        using var pipeline = TrainingSession.LoadPipeline(config, events);
        using var session = TrainingSession.Prepare(config, pipeline, events);
        session.Run();
        return ([.. losses], session.Adapter.Parameters.data<float>().ToArray(),
            [.. pictures.SelectMany(picture => picture.Pixels.ToArray())]);
    }

    private static bool[] InMemory(StableDiffusion3Pipeline pipeline) =>
        [.. new nn.Module[] { pipeline.Transformer, pipeline.Vae, pipeline.Prompts.Clip, pipeline.Prompts.Clip2, pipeline.Prompts.T5! }
            .Select(model => model.parameters().All(parameter => parameter.device_type != DeviceType.META))];

    private string CopyModel()
    {
        var target = Path.Combine(_folder, "model");
        foreach (var file in Directory.GetFiles(TinyPipeline.Folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(TinyPipeline.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return target;
    }
}
