using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Miniature.World;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public class PictureViewsTests
{
    [Fact]
    public void Of_OnePicture_IsAnotherEachTimeAndStaysNear()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var views = new PictureViews(new SeededRandom(1), 0.8f, 24);
        // A slope from left to right.
        var pixels = linspace(-0.8, 0.8, 32).view(1, 1, 1, 32).expand(8, 3, 32, 32).contiguous();
        Tensor first = views.Of(pixels), second = views.Of(pixels);
        Assert.Equal([8, 3, 24, 24], first.shape);
        Assert.False(first.allclose(second, atol: 1e-2));
        Assert.True((first - linspace(-0.8, 0.8, 24)).abs().mean().item<float>() is > 0.01f and < 0.3f);
        // The slope stays one: no view is mirrored.
        var halves = first.mean([1, 2]);
        Assert.True(halves.narrow(1, 12, 12).mean([1]).gt(halves.narrow(1, 0, 12).mean([1])).all().item<bool>());
    }
}
