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
