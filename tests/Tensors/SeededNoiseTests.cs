using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class SeededNoiseTests
{
    [Fact]
    public void Normal_EqualSeeds_GiveEqualValuesWhateverElseIsDrawn()
    {
        using var first = SeededNoise.Normal([3, 4], 42);
        using var between = randn(7);
        using var second = SeededNoise.Normal([3, 4], 42);
        using var other = SeededNoise.Normal([3, 4], 43);
        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
        Assert.NotEqual(first.data<float>().ToArray(), other.data<float>().ToArray());
    }

    // torch.manual_seed(seed); torch.randn(count), as PyTorch's CPU generator has drawn them since 1.0: up to 15 values one by one, from 16
    // on by rows.
    [Theory]
    [InlineData(0, 3, new[] { 1.5410f, -0.2934f, -2.1788f })]
    [InlineData(42, 3, new[] { 0.3367f, 0.1288f, 0.2345f })]
    [InlineData(0, 16, new[] { -1.1258f, -1.1524f, -0.2506f, -0.4339f, 0.8487f, 0.6920f, -0.3160f, -2.1152f })]
    public void Normal_Seed_DrawsWhatTorchDraws(int seed, int count, float[] expected)
    {
        using var drawn = SeededNoise.Normal([count], (ulong)seed);
        Assert.All(expected.Zip(drawn.data<float>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    [Fact]
    public void Normal_LargerBatch_BeginsWithTheSmallerOnesValues()
    {
        using var one = SeededNoise.Normal([1, 16, 2, 2], 9);
        using var three = SeededNoise.Normal([3, 16, 2, 2], 9);
        Assert.Equal(one.data<float>().ToArray(), three.data<float>().ToArray()[..64]);
    }

    [Fact]
    public void Normal_OtherType_RoundsTheFloat32Draw()
    {
        using var wide = SeededNoise.Normal([64], 1);
        using var narrow = SeededNoise.Normal([64], 1, CPU, ScalarType.BFloat16);
        using var rounded = wide.to(ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, narrow.dtype);
        Assert.Equal(rounded.bytes.ToArray(), narrow.bytes.ToArray());
    }

    [Fact]
    public void Normal_Generator_MovesOn()
    {
        using var generator = new Generator(5, CPU);
        using var first = SeededNoise.Normal([16], generator);
        using var second = SeededNoise.Normal([16], generator);
        Assert.NotEqual(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void Normal_ManyValues_HaveMeanZeroAndVarianceOne()
    {
        using var values = SeededNoise.Normal([100_000], ulong.MaxValue);
        Assert.InRange(values.mean().item<float>(), -0.02f, 0.02f);
        Assert.InRange(values.var().item<float>(), 0.97f, 1.03f);
    }
}
