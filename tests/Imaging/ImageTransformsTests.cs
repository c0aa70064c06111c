using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class ImageTransformsTests
{
    private static RgbImage Numbered(int width, int height) =>
        new(width, height, [.. Enumerable.Range(0, width * height).SelectMany(i => new[] { (byte)(i + 1), (byte)(i + 101), (byte)7 })]);

    private static string Reds(RgbImage image) =>
        string.Join(
            '/', Enumerable.Range(0, image.Height)
                .Select(y => string.Concat(Enumerable.Range(0, image.Width).Select(x => image[x, y].Red))));

    // 123/456 as PIL's transpose turns it.
    [Theory]
    [InlineData(ExifOrientation.Upright, "123/456")]
    [InlineData(ExifOrientation.Mirror, "321/654")]
    [InlineData(ExifOrientation.Rotate180, "654/321")]
    [InlineData(ExifOrientation.Flip, "456/123")]
    [InlineData(ExifOrientation.Transpose, "14/25/36")]
    [InlineData(ExifOrientation.Rotate90Clockwise, "41/52/63")]
    [InlineData(ExifOrientation.Transverse, "63/52/41")]
    [InlineData(ExifOrientation.Rotate90CounterClockwise, "36/25/14")]
    public void Orient_EachValue_TurnsThePixels(ExifOrientation orientation, string expected)
    {
        var image = ImageTransforms.Orient(Numbered(3, 2), orientation);
        Assert.Equal(expected, Reds(image));
        Assert.Equal(image[1, 1].Red + 100, image[1, 1].Green);
        Assert.Equal(7, image[1, 1].Blue);
    }

    [Theory]
    [InlineData(1, 0, 2, 2, "23/56")]
    [InlineData(-1, -1, 3, 2, "000/012")]
    [InlineData(2, 1, 2, 2, "60/00")]
    [InlineData(5, 5, 2, 1, "00")]
    [InlineData(-9, 0, 2, 1, "00")]
    public void Crop_PartlyOutside_IsBlackThere(int left, int top, int width, int height, string expected) =>
        Assert.Equal(expected, Reds(ImageTransforms.Crop(Numbered(3, 2), new CropBox(left, top, width, height))));

    [Fact]
    public void CenterCrop_TooSmallPicture_IsPaddedWithTheSmallerHalfFirst() =>
        Assert.Equal("00000/01230/04560/00000/00000", Reds(ImageTransforms.CenterCrop(Numbered(3, 2), 5, 5)));
}
