using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers;

public sealed class PatchProjectionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Forward_WithAnUpdate_IsTheTwoConvolutionsOfPeft()
    {
        using var layer = Layer();
        var input = SeededNoise.Normal([2, 3, 4, 6], 3, CPU);
        var plain = layer.call(input);
        Tensor a = SeededNoise.Normal([5, 12], 4, CPU), b = SeededNoise.Normal([8, 5], 5, CPU);
        layer.Attach(new LoraWeights("a", a, b, 0.5));
        var down = nn.functional.conv2d(input, a.view(5, 3, 2, 2), null, [2, 2]);
        var expected = plain + (nn.functional.conv2d(down, b.view(8, 5, 1, 1)) * 0.5);
        GoldenAssert.Close(expected, layer.call(input), 1e-6, "with the update");
        layer.Adapters[0].Scale = 0;
        GoldenAssert.Exact(plain, layer.call(input), "off");
        layer.Fuse(layer.Adapters[0], 0.5);
        GoldenAssert.Close(expected, layer.call(input), 1e-6, "fused");
    }

    [Fact]
    public void Forward_WithoutUpdates_IsAConvolution()
    {
        using var layer = Layer();
        var input = SeededNoise.Normal([1, 3, 4, 4], 3, CPU);
        GoldenAssert.Exact(nn.functional.conv2d(input, layer.Weight, layer.Bias, [2, 2]), layer.call(input), "plain");
    }

    private static PatchProjection Layer()
    {
        var layer = new PatchProjection(3, 8, 2, CPU, ScalarType.Float32);
        layer.Assign("weight", SeededNoise.Normal([8, 3, 2, 2], 1, CPU).DetachFromDisposeScope());
        layer.Assign("bias", SeededNoise.Normal([8], 2, CPU).DetachFromDisposeScope());
        return layer;
    }
}
