using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public class SharpnessTests
{
    [Fact]
    public void Of_OneWhitePixel_IsTheVarianceByHand()
    {
        var image = new RgbImage(5, 5);
        image[2, 2] = (255, 255, 255);
        // Inner 3 × 3 pixels: −4·255 once, 255 four times, 0 four times; their mean is 0.
        Assert.Equal(((16.0 * 255 * 255) + (4.0 * 255 * 255)) / 9, Sharpness.Of(image), 1e-6);
    }

    [Fact]
    public void Of_BlurredPicture_IsMuchLess()
    {
        var image = new RgbImage(64, 64);
        for (var y = 0; y < 64; y++)
        {
            for (var x = 0; x < 64; x++)
                image[x, y] = (x / 8 + y / 8) % 2 == 0 ? ((byte)0, (byte)0, (byte)0) : ((byte)255, (byte)255, (byte)255);
        }

        var blurred = ImageResizer.Resize(ImageResizer.Resize(image, 16, 16), 64, 64);
        Assert.True(Sharpness.Of(blurred) < 0.2 * Sharpness.Of(image));
    }
}
