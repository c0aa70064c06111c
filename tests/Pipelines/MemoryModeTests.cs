using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Profiling;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Tests.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>Memory modes on the CPU: the same numbers bit by bit, and less of the models in memory.</summary>
public sealed class MemoryModeTests : IDisposable
{
    private static readonly GenerationRequest Small = new()
    {
        Prompts = ["a photo of a cat", "the moon"],
        NumImagesPerPrompt = 2,
        NumInferenceSteps = 2,
        GuidanceScale = 4,
        Height = 16,
        Width = 32,
        Seed = 7,
        MaxSequenceLength = 8,
        SkipGuidanceLayers = [1],
        SkipLayerGuidanceStart = 0,
        SkipLayerGuidanceStop = 1,
    };

    private readonly string _root = Directory.CreateTempSubdirectory("lab-memory-").FullName;

    public static TheoryData<MemoryMode, bool> Modes =>
        new() { { MemoryMode.Balanced, false }, { MemoryMode.Low, false }, { MemoryMode.Low, true } };

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [MemberData(nameof(Modes))]
    public void Generate_EveryMode_DrawsTheSamePictures(MemoryMode mode, bool streamed)
    {
        using var fast = Load(TinyPipeline.Folder, MemoryMode.Fast);
        using var other = Load(TinyPipeline.Folder, mode, streamed);
        using var scope = NewDisposeScope();
        GoldenAssert.Exact(fast.Denoise(Small), other.Denoise(Small));
        Assert.Equal(Pixels(fast.Generate(Small)), Pixels(other.Generate(Small)));
        Assert.Equal(
            Pixels(fast.Generate(Small with { GuidanceScale = 1, NegativePrompts = ["dark"] })),
            Pixels(other.Generate(Small with { GuidanceScale = 1, NegativePrompts = ["dark"] })));
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void Encode_OtherPrecisions_GivesTheSameText(ScalarType dtype)
    {
        using var fast = StableDiffusion3Pipeline.Load(TinyPipeline.Folder, Options(MemoryMode.Fast) with { Dtype = dtype });
        using var low = StableDiffusion3Pipeline.Load(TinyPipeline.Folder, Options(MemoryMode.Low) with { Dtype = dtype });
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (expected, actual) = (fast.Prompts.Encode(Small.Prompts, 8), low.Prompts.Encode(Small.Prompts, 8));
        GoldenAssert.Exact(expected.PromptEmbeds, actual.PromptEmbeds);
        GoldenAssert.Exact(expected.PooledPromptEmbeds, actual.PooledPromptEmbeds);
    }

    // One file with everything, a T5 apart in 8 bits, and a folder in shards: weights come block by block from each.
    [Theory]
    [InlineData("file")]
    [InlineData("apart in 8 bits")]
    [InlineData("shards")]
    public void Generate_ModelsInOtherForms_DrawsTheSamePictures(string form)
    {
        using var original = new OriginalFile(Path.Combine(_root, "published"));
        var (path, options) = Stored(original, form);
        using var fast = StableDiffusion3Pipeline.Load(path, options);
        using var low = StableDiffusion3Pipeline.Load(path, options with { Memory = MemoryMode.Low, StreamTransformer = true });
        var expected = Pixels(fast.Generate(Small));
        Assert.True(expected.Distinct().Count() > 16);
        Assert.Equal(expected, Pixels(low.Generate(Small)));
    }

    [Theory]
    [InlineData(MemoryMode.Balanced)]
    [InlineData(MemoryMode.Low)]
    public void Generate_LoraOnAllModels_ActsInEveryMode(MemoryMode mode)
    {
        using var fast = Load(TinyPipeline.Folder, MemoryMode.Fast);
        using var other = Load(TinyPipeline.Folder, mode, streamed: mode == MemoryMode.Low);
        var plain = Pixels(fast.Generate(Small));
        using var first = Adapt(fast);
        using var second = Adapt(other);
        var adapted = Pixels(fast.Generate(Small));
        Assert.NotEqual(plain, adapted);
        Assert.Equal(adapted, Pixels(other.Generate(Small)));
        Assert.Contains(
            "The weights of text_encoder_2 are not in memory", Assert.Throws<LabException>(() => LoraChange.Measure(second)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Fuse_WeightsThatWillLeaveMemory_IsRefusedThoughTheyAreThere()
    {
        using var fast = Load(TinyPipeline.Folder, MemoryMode.Fast);
        using var balanced = Load(TinyPipeline.Folder, MemoryMode.Balanced);
        using var first = Adapt(fast);
        using var second = Adapt(balanced);
        using (balanced.Prompts.Hold())
            Assert.Contains(
                "the weights of text_encoder_2 are in memory only while they are used",
                Assert.Throws<LabException>(() => second.Fuse()).Message, StringComparison.Ordinal);
        Assert.False(second.IsFused);
        Assert.Equal(Pixels(fast.Generate(Small)), Pixels(balanced.Generate(Small)));
        using var transformerAlone = LoraAdapter.Create(
            "b", [(balanced.LoraComponents[0], new LoraConfig { TargetModules = LoraConfig.TransformerTargets })], 3, CPU,
            ScalarType.Float32);
        transformerAlone.Fuse();
        Assert.True(transformerAlone.IsFused);
    }

    [Fact]
    public void Load_EveryMode_KeepsWhatItSays()
    {
        using var fast = Load(TinyPipeline.Folder, MemoryMode.Fast);
        using var balanced = Load(TinyPipeline.Folder, MemoryMode.Balanced);
        using var streamed = Load(TinyPipeline.Folder, MemoryMode.Low, streamed: true);
        var whole = InMemory(fast);
        Assert.Equal(whole.Sum(), InMemory(balanced)[0] + whole[1..].Sum());
        Assert.Equal([whole[0], 0, 0, 0, 0], InMemory(balanced));
        balanced.Generate(Small);
        Assert.Equal([whole[0], 0, 0, 0, 0], InMemory(balanced));
        using (balanced.HoldVae())
        using (balanced.Prompts.Hold())
            Assert.Equal([.. whole[..4], 0], InMemory(balanced));
        Assert.Equal(fast.Parts, balanced.Parts);
        streamed.Generate(Small);
        Assert.Equal(0, streamed.Transformer.TransformerBlocks.Sum(InMemory));
        using var streamedAlone = Load(TinyPipeline.Folder, MemoryMode.Fast, streamed: true);
        Assert.Equal([InMemory(streamed)[0], 0, 0, 0, 0], InMemory(streamedAlone));
        Assert.InRange(InMemory(streamed)[0], 1, whole[0] - fast.Transformer.TransformerBlocks.Sum(InMemory));
    }

    [Fact]
    public void Generate_KnownTexts_AreNotReadAgain()
    {
        using var original = new OriginalFile(Path.Combine(_root, "published"));
        using var pipeline = Load(original.Folder, MemoryMode.Balanced);
        pipeline.PreparePrompts([Small, Small with { Prompts = ["another"] }]);
        var file = Path.Combine(original.Folder, "text_encoder_3", "model.safetensors");
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch);
        pipeline.Generate(Small);
        pipeline.Generate(Small with { Prompts = ["another"], NumImagesPerPrompt = 3 });
        Assert.Contains(
            "was changed or removed", Assert.Throws<LabException>(() => pipeline.Generate(Small with { Prompts = ["a third"] })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FileThatDoesNotFit_IsRefusedAtOnce()
    {
        using var original = new OriginalFile(Path.Combine(_root, "published"));
        SafetensorsWriter.Save(
            Path.Combine(original.Folder, "text_encoder_3", "model.safetensors"),
            new Dictionary<string, Tensor> { ["shared.weight"] = ones(1) });
        Assert.Contains(
            "does not fit T5EncoderModel", Assert.Throws<LabException>(() => Load(original.Folder, MemoryMode.Low)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void GenerateAndDispose_EveryMode_LeavesNoTensors()
    {
        Assert.Equal(0, LiveTensors.LeftBy(() => Generate(MemoryMode.Balanced, false)));
        Assert.Equal(0, LiveTensors.LeftBy(() => Generate(MemoryMode.Low, true)));

        static void Generate(MemoryMode mode, bool streamed)
        {
            using var pipeline = Load(TinyPipeline.Folder, mode, streamed);
            pipeline.Generate(Small);
        }
    }

    // The tiny models' tables of tokens are most of their weights: one at a time is what a mode can hold less.
    [Fact]
    public void LoadAndGenerate_LowerModes_PeakLower()
    {
        Assert.SkipUnless(PeakMemory.IsCounted, "the peak of memory is not counted here");
        void Generate(MemoryMode mode, bool streamed = false)
        {
            using var pipeline = Load(TinyPipeline.Folder, mode, streamed);
            pipeline.Generate(Small);
        }

        using var fast = Load(TinyPipeline.Folder, MemoryMode.Fast);
        var weights = InMemory(fast);
        var resident = PeakMemory.AtLeastOf(() => Generate(MemoryMode.Fast));
        Assert.True(resident >= weights.Sum(), $"{resident} of {weights.Sum()}");
        Assert.InRange(PeakMemory.Of(() => Generate(MemoryMode.Balanced)), 0, resident - (weights[4] * 8 / 10));
        Assert.InRange(PeakMemory.Of(() => Generate(MemoryMode.Low, streamed: true)), 0, resident - ((weights[0] + weights[4]) * 8 / 10));
    }

    private (string Path, PipelineOptions Options) Stored(OriginalFile original, string form)
    {
        var options = Options(MemoryMode.Fast) with { SingleFilePresets = [original.Preset] };
        var path = Path.Combine(_root, "apart", "model.safetensors");
        (string, IEnumerable<(string, Tensor)>)[] inside =
            [(OriginalKeys.TransformerPrefix, original.Transformer), (OriginalKeys.VaePrefix, original.Vae),
                (OriginalKeys.ClipPrefix, original.Clip), (OriginalKeys.Clip2Prefix, original.Clip2)];
        switch (form)
        {
            case "file":
                OriginalFile.Save(path, ScalarType.BFloat16, [.. inside, (OriginalKeys.T5Prefix, original.T5)]);
                return (path, options);
            case "shards":
                OtherForms.Shard(Path.Combine(original.Folder, "text_encoder_3"), "model", 3);
                OtherForms.Shard(Path.Combine(original.Folder, "transformer"), "diffusion_pytorch_model", 3);
                return (original.Folder, options);
            default:
                OriginalFile.Save(path, ScalarType.BFloat16, inside);
                OtherForms.SaveFloat8(Path.Combine(_root, "apart", "t5xxl_fp8_e4m3fn.safetensors"), original.T5);
                return (path, options);
        }
    }

    private static PipelineOptions Options(MemoryMode mode, bool streamed = false) => new()
    {
        TokenizersFolder = TinyTokenizers.Root,
        Memory = mode,
        StreamTransformer = streamed,
    };

    private static StableDiffusion3Pipeline Load(string folder, MemoryMode mode, bool streamed = false) =>
        StableDiffusion3Pipeline.Load(folder, Options(mode, streamed));

    private static LoraAdapter Adapt(StableDiffusion3Pipeline pipeline)
    {
        var adapter = LoraAdapter.Create(
            "a", pipeline.LoraComponents.Reverse()
                .Select(
                    component => (component,
                        new LoraConfig
                        {
                            Rank = 2,
                            TargetModules = component.Prefix == "transformer"
                                ? LoraConfig.TransformerTargets
                                : LoraConfig.TextEncoderTargets,
                        })),
            3, CPU, ScalarType.Float32, trainable: false);
        adapter.Parameters.copy_(SeededNoise.Normal(adapter.Parameters.shape, 4).mul_(0.2));
        return adapter;
    }

    private static byte[] Pixels(IReadOnlyList<RgbImage> pictures) => [.. pictures.SelectMany(picture => picture.Pixels.ToArray())];

    private static long[] InMemory(StableDiffusion3Pipeline pipeline) =>
        [.. new nn.Module[] { pipeline.Transformer, pipeline.Vae, pipeline.Prompts.Clip, pipeline.Prompts.Clip2,
            pipeline.Prompts.T5! }.Select(InMemory)];

    private static long InMemory(nn.Module module) =>
        module.parameters().Where(parameter => parameter.device_type != DeviceType.META)
            .Sum(parameter => parameter.numel() * parameter.element_size());
}
