using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Profiling;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Autoencoders;

/// <summary>
/// The autoencoder's peak memory, in tensors of the widest place: the picture's full size with the channels of the resolution below.
/// </summary>
public sealed class DecodeMemoryTests : IDisposable
{
    private const int Side = 256;
    private const long Widest = 64L * Side * Side * sizeof(float);

    private readonly AutoencoderKL _model = SmallAutoencoder.Random(
        SmallAutoencoder.Config with { MidBlockAddAttention = false, UseQuantConv = false }, CPU);

    public void Dispose() => _model.Dispose();

    // Input, normalised, the first convolution's output of half the channels: 2.5; what is the convolution's own makes it 4 and 40 KB for
    // so short a time that it is seldom seen (4.0025 on a busy machine). One tensor more would be 4.5 or 5.
    [Fact]
    public void Decode_AtItsWidestPlace_HoldsFewTensors()
    {
        Assert.SkipUnless(PeakMemory.IsCounted, "the peak of memory is not counted here");
        using var noGradients = no_grad();
        using var latents = randn(1, 4, Side / 2, Side / 2);
        Assert.InRange(PeakMemory.Of(() => _model.Decode(latents).Dispose()) / (double)Widest, 0, 4.1);
    }

    [Fact]
    public void Encode_AtItsWidestPlace_HoldsFewTensors()
    {
        Assert.SkipUnless(PeakMemory.IsCounted, "the peak of memory is not counted here");
        using var noGradients = no_grad();
        using var pixels = randn(1, 3, Side, Side);
        Assert.InRange(PeakMemory.Of(() => _model.EncodeMoments(pixels).Dispose()) / (double)Widest, 0, 3);
    }

    // With gradients nothing is computed in place and much is kept.
    [Fact]
    public void EncodeAndDecode_WithAndWithoutGradients_AreTheSame()
    {
        using var scope = NewDisposeScope();
        Tensor pixels = randn(2, 3, 16, 32), latents = randn(2, 4, 8, 16);
        Tensor moments, decoded;
        using (no_grad())
            (moments, decoded) = (_model.EncodeMoments(pixels), _model.Decode(latents));
        using var gradients = enable_grad();
        var (wideMoments, wideDecoded) =
            (_model.EncodeMoments(pixels.clone().requires_grad_(true)), _model.Decode(latents.clone().requires_grad_(true)));
        Assert.True(wideMoments.requires_grad && wideDecoded.requires_grad);
        GoldenAssert.Exact(wideMoments, moments);
        GoldenAssert.Exact(wideDecoded, decoded);
        (wideMoments.sum() + wideDecoded.sum()).backward();
    }
}
