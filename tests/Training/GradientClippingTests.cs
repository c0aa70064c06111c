using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class GradientClippingTests
{
    [Fact]
    public void Clip_LongGradient_ScalesToTheLimitAndReturnsTheNormBefore()
    {
        using var scope = NewDisposeScope();
        var gradients = tensor([3f, -4f]);
        var norm = GradientClipping.Clip(gradients, 1);
        Assert.Equal(5f, norm.item<float>(), 1e-6f);
        Assert.Equal(3 / (5 + 1e-6), gradients[0].item<float>(), 1e-7);
        Assert.Equal(-4 / (5 + 1e-6), gradients[1].item<float>(), 1e-7);
    }

    [Fact]
    public void Clip_ShortGradient_ChangesNothing()
    {
        using var scope = NewDisposeScope();
        var gradients = tensor([0.3f, -0.4f]);
        GradientClipping.Clip(gradients, 1);
        Assert.Equal([0.3f, -0.4f], gradients.data<float>().ToArray());
    }

    [Fact]
    public void Clip_SeparateParameters_EqualsTorchs()
    {
        using var scope = NewDisposeScope();
        var gradients = Lab.Tensors.SeededNoise.Normal([40], 3);
        var separate = new[] { new TorchSharp.Modules.Parameter(zeros(25)), new TorchSharp.Modules.Parameter(zeros(15)) };
        separate[0].grad = gradients.narrow(0, 0, 25).clone();
        separate[1].grad = gradients.narrow(0, 25, 15).clone();
        var expected = nn.utils.clip_grad_norm_(separate, 0.5);
        var norm = GradientClipping.Clip(gradients, 0.5);
        Assert.Equal(expected, norm.item<float>(), 1e-5);
        Golden.GoldenAssert.Close(cat([separate[0].grad!, separate[1].grad!]), gradients, 2e-7);
    }

    [Fact]
    public void Clip_ZeroGradient_StaysZero()
    {
        using var scope = NewDisposeScope();
        var gradients = zeros(4);
        Assert.Equal(0f, GradientClipping.Clip(gradients, 1).item<float>());
        Assert.Equal([0f, 0, 0, 0], gradients.data<float>().ToArray());
    }
}
