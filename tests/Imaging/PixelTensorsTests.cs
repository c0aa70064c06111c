using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class PixelTensorsTests
{
    [Fact]
    public void Stack_TwoPictures_ComeBackAsTheyWere()
    {
        using var scope = NewDisposeScope();
        RgbImage[] images =
            [new(3, 2, [.. Enumerable.Range(0, 18).Select(i => (byte)i)]), new(3, 2, [.. Enumerable.Range(200, 18).Select(i => (byte)i)])];
        var pixels = PixelTensors.Stack(images);
        Assert.Equal([2, 3, 2, 3], pixels.shape);
        Assert.Equal((4 / 255f - 0.5f) / 0.5f, pixels[0, 1, 0, 1].item<float>());
        Assert.Equal(images.Select(image => image.Pixels), PixelTensors.Unstack(pixels).Select(image => image.Pixels));
        Assert.Equal(images[1].Pixels, PixelTensors.Unstack(pixels[1].to(float64)).Single().Pixels);
    }

    [Fact]
    public void Stack_DifferentSizes_NamesThem()
    {
        var error = Assert.Throws<LabException>(() => PixelTensors.Stack([new RgbImage(3, 2), new RgbImage(2, 3)]));
        Assert.Contains("the first has 3x2 pixels, number 2 has 2x3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unstack_LatentsInsteadOfPictures_NamesTheShape()
    {
        using var latents = zeros(1, 16, 8, 8);
        var error = Assert.Throws<LabException>(() => PixelTensors.Unstack(latents));
        Assert.Contains("[1, 16, 8, 8]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unstack_Pixels_LeavesNoTensorBehind()
    {
        using var pixels = zeros(2, 3, 4, 4);
        using var scope = NewDisposeScope();
        PixelTensors.Unstack(pixels);
        Assert.Equal(0, scope.DisposablesCount);
    }
}
