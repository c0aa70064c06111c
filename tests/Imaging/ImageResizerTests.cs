using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class ImageResizerTests
{
    [Theory]
    [InlineData(331, 247, 64, 85, 64)]
    [InlineData(247, 331, 64, 64, 85)]
    [InlineData(160, 160, 64, 64, 64)]
    [InlineData(57, 41, 128, 177, 128)]
    public void ShortSideTo_LongSide_IsTruncated(int width, int height, int size, int newWidth, int newHeight) =>
        Assert.Equal((newWidth, newHeight), ImageResizer.ShortSideTo(width, height, size));

    [Fact]
    public void Resize_OneColour_StaysThatColour()
    {
        var image = new RgbImage(37, 23);
        for (var i = 0; i < image.Pixels.Length; i++)
            image.Pixels[i] = (byte)(i % 3 == 0 ? 255 : i % 3 == 1 ? 0 : 77);
        foreach (var (width, height) in new[] { (5, 7), (64, 3), (100, 90), (37, 5), (5, 23), (1, 1) })
        {
            var resized = ImageResizer.Resize(image, width, height);
            Assert.Equal((width, height), (resized.Width, resized.Height));
            Assert.All(resized.Pixels.Chunk(3), pixel => Assert.Equal(new byte[] { 255, 0, 77 }, pixel));
        }
    }

    // 4 -> 2: support 2, centre 1; weights 1.5/2, 1.5/2 … by hand: taps (0.75, 0.75, 0.25) / 1.75 from the left edge.
    [Fact]
    public void Resize_HalfTheWidth_WeighsAsATriangleCutAtTheEdge()
    {
        var image = new RgbImage(4, 1, [0, 0, 0, 100, 0, 0, 200, 0, 0, 40, 0, 0]);
        var resized = ImageResizer.Resize(image, 2, 1);
        Assert.Equal((byte)Math.Round((0.75 * 0 + 0.75 * 100 + 0.25 * 200) / 1.75), resized[0, 0].Red);
        Assert.Equal((byte)Math.Round((0.25 * 100 + 0.75 * 200 + 0.75 * 40) / 1.75), resized[1, 0].Red);
    }

    [Fact]
    public void Resize_SameSize_IsTheSamePicture()
    {
        var image = new RgbImage(4, 3);
        Assert.Same(image, ImageResizer.Resize(image, 4, 3));
    }

    [Fact]
    public void Resize_NoPixels_IsRefused() =>
        Assert.Throws<LabException>(() => ImageResizer.ResizeShortSide(new RgbImage(4, 3), 0));
}
