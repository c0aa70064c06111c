using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Autoencoders;

public sealed class TiledVaeTests
{
    [Theory]
    [InlineData(8, 8)]
    [InlineData(9, 20)]
    [InlineData(31, 16)]
    public void Apply_GrowingLocalFunction_EqualsTheWhole(long height, long width)
    {
        using var scope = NewDisposeScope();
        var input = Lab.Tensors.SeededNoise.Normal([2, 3, height, width], 1);
        var calls = 0;
        Tensor Grow(Tensor tile)
        {
            calls++;
            Assert.True(tile.shape[2] <= 8 && tile.shape[3] <= 8);
            return tile.repeat_interleave(4, 2).repeat_interleave(4, 3);
        }

        var tiled = TiledVae.Apply(input, 8, 4, 1, Grow);
        GoldenAssert.Close(input.repeat_interleave(4, 2).repeat_interleave(4, 3), tiled, 1e-6);
        Assert.True(height <= 8 && width <= 8 ? calls == 1 : calls > 1);
    }

    [Theory]
    [InlineData(32, 80)]
    [InlineData(72, 40)]
    public void Apply_ShrinkingLocalFunction_EqualsTheWhole(long height, long width)
    {
        using var scope = NewDisposeScope();
        var input = Lab.Tensors.SeededNoise.Normal([1, 3, height, width], 1);
        var tiled = TiledVae.Apply(input, 32, 1, 8, tile => nn.functional.avg_pool2d(tile, 8));
        GoldenAssert.Close(nn.functional.avg_pool2d(input, 8), tiled, 1e-6);
    }
}
