using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

/// <summary>LoRA on what few trainings change: T5, and the patches, in the names of sd-scripts.</summary>
public sealed class LoraOtherModelsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void LoadLora_T5_ChangesItsTokensAndOffGivesEveryBitBack()
    {
        using var pipeline = TinyPipeline.Load();
        using var noGradients = no_grad();
        var before = pipeline.Prompts.EncodeT5(["a photo of a cat"], 8);
        var report = pipeline.LoadLora(T5Lora(pipeline.Prompts.T5!.Config.DModel));
        Assert.Equal((4, 4), (report.FileTensors, report.MatchedTensors));
        Assert.Equal(2, pipeline.Adapters[0].Layers.Count(layer => layer.Component == "text_encoder_3"));
        Assert.True(GoldenAssert.RelativeError(before, pipeline.Prompts.EncodeT5(["a photo of a cat"], 8)) > 1e-3);
        pipeline.Adapters[0].Weight = 0;
        GoldenAssert.Exact(before, pipeline.Prompts.EncodeT5(["a photo of a cat"], 8));
    }

    [Theory]
    [InlineData(MemoryMode.Fast, false)]
    [InlineData(MemoryMode.Balanced, true)]
    public void LoadLora_T5ThatIsNotInMemory_IsNamed(MemoryMode memory, bool withT5)
    {
        using var pipeline = StableDiffusion3Pipeline.Load(
            TinyPipeline.Folder, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root, WithT5 = withT5, Memory = memory });
        pipeline.Prompts.Warn = null;
        using var t5 = SafetensorsFile.Open(T5Lora(32));
        var path = Path.Combine(_folder.Path, "both.safetensors");
        var width = pipeline.Transformer.Config.InnerDim;
        SafetensorsWriter.Save(path, t5.Tensors.Keys.Select(name => KeyValuePair.Create(name, t5.Load(name))).Concat(
        [
            KeyValuePair.Create("lora_unet_joint_blocks_0_x_block_attn_proj.lora_down.weight", ones(2, width)),
            KeyValuePair.Create("lora_unet_joint_blocks_0_x_block_attn_proj.lora_up.weight", ones(width, 2)),
        ]));
        var report = pipeline.LoadLora(path);
        Assert.Contains("4 of its 6 tensors are not used (a text encoder's LoRA", Assert.Single(report.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void LoadLora_ThePatchesConvolution_ActsAsFused()
    {
        using var pipeline = TinyPipeline.Load(withT5: false);
        using var noGradients = no_grad();
        var layer = pipeline.Transformer.PosEmbed.Proj;
        long width = layer.OutFeatures, channels = layer.InFeatures / 4;
        var path = Path.Combine(_folder.Path, "patches.safetensors");
        SafetensorsWriter.Save(path,
        [
            KeyValuePair.Create("lora_unet_x_embedder_proj.lora_down.weight", SeededNoise.Normal([3, channels, 2, 2], 1, CPU)),
            KeyValuePair.Create("lora_unet_x_embedder_proj.lora_up.weight", SeededNoise.Normal([width, 3, 1, 1], 2, CPU)),
            KeyValuePair.Create("lora_unet_x_embedder_proj.alpha", tensor(6f)),
        ]);
        var report = pipeline.LoadLora(path);
        Assert.Equal((3, 0), (report.MatchedTensors, report.Warnings.Count));
        var input = SeededNoise.Normal([1, channels, 8, 8], 3, CPU);
        var acting = layer.call(input);
        pipeline.Adapters[0].Fuse();
        GoldenAssert.Close(layer.call(input), acting, 1e-5, "fused");
        pipeline.Adapters[0].Unfuse();
        pipeline.Adapters[0].Weight = 0;
        Assert.True(GoldenAssert.RelativeError(layer.call(input), acting) > 1e-2);
        using LoraContents contents = LoraContents.Read(path);
        LoraExport.Save(Path.Combine(_folder.Path, "diffusers.safetensors"), contents, "diffusers");
        pipeline.UnloadLora(pipeline.Adapters[0]);
        pipeline.LoadLora(Path.Combine(_folder.Path, "diffusers.safetensors"));
        GoldenAssert.Close(acting, layer.call(input), 1e-6, "in the layout of diffusers");
    }

    private string T5Lora(long width)
    {
        var path = Path.Combine(_folder.Path, "t5.safetensors");
        SafetensorsWriter.Save(path, new[] { "q", "v" }.SelectMany((name, i) => new[]
        {
            KeyValuePair.Create($"lora_te3_encoder_block_0_layer_0_SelfAttention_{name}.lora_down.weight",
                SeededNoise.Normal([2, width], (ulong)i, CPU)),
            KeyValuePair.Create($"lora_te3_encoder_block_0_layer_0_SelfAttention_{name}.lora_up.weight",
                SeededNoise.Normal([Inner, 2], (ulong)(10 + i), CPU)),
        }));
        return path;
    }

    private static long Inner
    {
        get
        {
            using var pipeline = TinyPipeline.Load();
            return pipeline.Prompts.T5!.named_modules().Where(entry => entry.name.EndsWith("SelfAttention.q", StringComparison.Ordinal))
                .Select(entry => ((LoraLinear)entry.module).OutFeatures).First();
        }
    }
}
