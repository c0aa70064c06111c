using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Autoencoders;

/// <summary>
/// The autoencoder with channels last in memory beside the plain one; on a GPU, with the kernels beside libtorch's operations.
/// </summary>
public sealed class AutoencoderLayoutTests : IDisposable
{
    private readonly AutoencoderKL _model = SmallAutoencoder.Random(SmallAutoencoder.Config, TestDevice.Device);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void EncodeAndDecode_MapsThatLieChannelsLast_GiveThePlainValues()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = SmallAutoencoder.Random(SmallAutoencoder.Config, CPU);
        Tensor pixels = SeededNoise.Normal([2, 3, 16, 24], 2), latents = SeededNoise.Normal([2, 4, 8, 12], 3);
        var (moments, decoded) = (model.EncodeMoments(pixels), model.Decode(latents));
        foreach (var convolution in model.modules().OfType<Conv2d>())
            convolution.Arrange();

        Tensor otherMoments = model.EncodeMoments(ChannelsLast.Of(pixels)), otherDecoded = model.Decode(ChannelsLast.Of(latents));

        Assert.True(otherDecoded.is_contiguous() && otherMoments.is_contiguous());
        GoldenAssert.Close(moments, otherMoments, 1e-5, "moments");
        GoldenAssert.Close(decoded, otherDecoded, 1e-5, "decoded");
    }

    // Where a gradient is wanted, libtorch's operations compute, in its own layout.
    [Fact]
    [Trait("Category", "Parity")]
    public void EncodeAndDecode_WithAndWithoutGradients_Agree()
    {
        using var scope = NewDisposeScope();
        Tensor pixels = SeededNoise.Normal([2, 3, 16, 24], 2).Here(), latents = SeededNoise.Normal([2, 4, 8, 12], 3).Here();
        Tensor moments, decoded;
        using (enable_grad())
            (moments, decoded) =
                (_model.EncodeMoments(pixels.clone().requires_grad_(true)), _model.Decode(latents.clone().requires_grad_(true)));
        Assert.True(moments.requires_grad && decoded.requires_grad);
        using var noGradients = no_grad();

        GoldenAssert.Close(moments, _model.EncodeMoments(pixels), 2e-5, "moments");
        GoldenAssert.Close(decoded, _model.Decode(latents), 2e-5, "decoded");
        GoldenAssert.Close(decoded, _model.Decode(latents), 2e-5, "decoded again");
        Assert.Equal(
            FeatureMapKernels.Pay(latents, latents), _model.modules().OfType<Conv2d>().All(layer => ChannelsLast.Is(layer.Weight)));
    }

    [Fact]
    public void Decode_WithoutGradients_LeavesNoTensorBehind()
    {
        using var noGradients = no_grad();
        using var latents = SeededNoise.Normal([1, 4, 8, 12], 3).Here();
        Assert.Equal(0, LiveTensors.LeftBy(() => _model.Decode(latents).Dispose()));
    }
}
