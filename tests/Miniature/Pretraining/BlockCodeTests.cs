using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public sealed class BlockCodeTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Signed_RoundTrip_IsOffByAtMostHalfALevelOfItsBlock()
    {
        // Two whole blocks and a part of one, whose sizes differ by a factor of a million.
        var values = cat([SeededNoise.Normal([256], 1), SeededNoise.Normal([256], 2) * 1e-6, SeededNoise.Normal([50], 3)]);
        var (codes, scales) = BlockCode.EncodeSigned(values);
        Assert.Equal((ScalarType.Int8, 562L, 3L), (codes.dtype, codes.numel(), scales.numel()));
        var off = (BlockCode.DecodeSigned(codes, scales) - values).abs();
        foreach (var (first, length) in new[] { (0L, 256L), (256L, 256L), (512L, 50L) })
            Assert.True(off.narrow(0, first, length).max().item<float>() <= values.narrow(0, first,
                length).abs().max().item<float>() / 253);
    }

    [Fact]
    public void Positive_RoundTrip_KeepsSmallValuesBesideLargeOnes()
    {
        var values = cat([tensor(new[] { 0f, 1e-3f, 1e-9f, 3e-7f, 5f }), zeros(300)]);
        var (codes, scales) = BlockCode.EncodePositive(values);
        Assert.Equal(ScalarType.Byte, codes.dtype);
        var back = BlockCode.DecodePositive(codes, scales);
        Assert.Equal(0f, back[0].item<float>());
        Assert.Equal(5f, back[4].item<float>());
        Assert.InRange(back[1].item<float>(), 0.96e-3f, 1.04e-3f);
        Assert.InRange(back[3].item<float>(), 2.9e-7f, 3.1e-7f);
        Assert.InRange(back[2].item<float>(), 1e-9f, 5f / (1 << 23)); // raised to the least that a block keeps, never to 0
        Assert.Equal(0f, back.narrow(0, 5, 300).abs().max().item<float>());
    }
}
