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

    // Groups of 24 bytes and of 8 rows are summed at once, the rest one by one: sizes around these, with both filters.
    [Theory]
    [InlineData(7, 5)]
    [InlineData(8, 8)]
    [InlineData(9, 17)]
    [InlineData(31, 16)]
    [InlineData(64, 25)]
    public void Resize_AnySize_IsTheSumOfWeightedBytes(int width, int height)
    {
        var image = new RgbImage(width, height);
        new Random(1).NextBytes(image.Pixels);
        foreach (var filter in Enum.GetValues<ResizeFilter>())
        {
            foreach (var (newWidth, newHeight) in new[] { (1, 1), (3, 2), (8, 8), (17, 24), (width, 9), (40, height) })
            {
                var wide = newWidth == width ? image : Plain(image, newWidth, ResizeTaps.Of(filter, width, newWidth), across: false);
                var expected = newHeight == height ? wide : Plain(wide, newHeight, ResizeTaps.Of(filter, height, newHeight), across: true);
                Assert.Equal(expected.Pixels, ImageResizer.Resize(image, newWidth, newHeight, filter).Pixels);
            }
        }
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

    // One pass, in the plainest way: along rows (across is false) or along columns.
    private static RgbImage Plain(RgbImage image, int places, ResizeTaps taps, bool across)
    {
        var result = across ? new RgbImage(image.Width, places) : new RgbImage(places, image.Height);
        for (var y = 0; y < result.Height; y++)
        {
            for (var x = 0; x < result.Width; x++)
            {
                var place = across ? y : x;
                var weights = taps.Weights(place);
                int red = ResizeTaps.Half, green = red, blue = red;
                for (var i = 0; i < weights.Length; i++)
                {
                    var from = taps.First[place] + i;
                    var pixel = across ? image[x, from] : image[from, y];
                    (red, green, blue) = (
                        red + (pixel.Red * weights[i]), green + (pixel.Green * weights[i]), blue + (pixel.Blue * weights[i]));
                }

                result[x, y] = (ResizeTaps.ToByte(red), ResizeTaps.ToByte(green), ResizeTaps.ToByte(blue));
            }
        }

        return result;
    }
}
