using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class PixelValuesTests
{
    [Fact]
    public void FromImage_EveryLevel_ComesBack()
    {
        var image = new RgbImage(256, 1, [.. Enumerable.Range(0, 256).SelectMany(x => new[] { (byte)x, (byte)(255 - x), (byte)(x / 2) })]);
        var values = PixelValues.FromImage(image);
        Assert.Equal(-1f, values[0]);
        Assert.Equal(1f, values[255]);
        Assert.Equal(1f, values[256]);
        Assert.Equal(image.Pixels, PixelValues.ToImage(values, 256, 1).Pixels);
    }

    // 0.5 levels round to even: (n + 0.5) / 255 lies exactly between two levels where float arithmetic hits it.
    [Theory]
    [InlineData(-1.5f, 0)]
    [InlineData(1.5f, 255)]
    [InlineData(0f, 128)]
    [InlineData(float.NaN, 0)]
    [InlineData(float.PositiveInfinity, 255)]
    [InlineData(0.0039f, 128)]
    [InlineData(0.0041f, 128)]
    [InlineData(0.0119f, 129)]
    public void ToImage_OneValue_IsClampedAndRounded(float value, byte expected) =>
        Assert.Equal((expected, expected, expected), PixelValues.ToImage([value, value, value], 1, 1)[0, 0]);

    [Fact]
    public void ToImage_WrongNumberOfValues_IsRefused() =>
        Assert.Throws<LabException>(() => PixelValues.ToImage(new float[11], 2, 2));
}
