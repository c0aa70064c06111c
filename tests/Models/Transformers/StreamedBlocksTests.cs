using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Transformers;

/// <summary>A transformer whose blocks come one by one, beside the whole one; on a GPU the copies overlap.</summary>
[Trait("Category", "Parity")]
public sealed class StreamedBlocksTests
{
    private static readonly string s_folder = Path.Combine(TinyPipeline.Folder, "transformer");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(100)]
    public void Forward_SomeBlocksStay_IsTheWholeModels(int resident)
    {
        var device = TestDevice.Device;
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var checkpoint = Checkpoint.OpenFolder(s_folder, SD3Transformer2DModel.WeightsName, null);
        var config = SD3TransformerConfig.Read(Path.Combine(s_folder, "config.json"));
        using var whole = SD3Transformer2DModel.Load(config, checkpoint, device, ScalarType.Float32);
        using var streamed = SD3Transformer2DModel.LoadStreamed(config, checkpoint, device, ScalarType.Float32, resident);
        // Skipped blocks are those that may have been copied ahead.
        foreach (var skipped in (int[]?[])[null, null, [1], [0], null, [0, config.NumLayers - 1], null])
        {
            var latents = randn([2, config.InChannels, 8, 8], device: device);
            var timestep = full([2], 500f, ScalarType.Float32, device);
            var text = randn([2, 5, config.JointAttentionDim], device: device);
            var pooled = randn([2, config.PooledProjectionDim], device: device);
            GoldenAssert.Exact(
                whole.forward(latents, timestep, text, pooled, skipped), streamed.forward(latents, timestep, text, pooled, skipped));
        }
    }

    [Fact]
    public void LoadStreamed_OneStays_HasNoOthersWeights()
    {
        using var noGradients = no_grad();
        using var checkpoint = Checkpoint.OpenFolder(s_folder, SD3Transformer2DModel.WeightsName, null);
        var config = SD3TransformerConfig.Read(Path.Combine(s_folder, "config.json"));
        using var streamed = SD3Transformer2DModel.LoadStreamed(config, checkpoint, CPU, ScalarType.Float32, 1);
        var there = streamed.TransformerBlocks.Count(
            block => block.parameters().All(value => value.device_type == TorchSharp.DeviceType.CPU));
        Assert.Equal(1, there);
    }
}
