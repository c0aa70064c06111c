using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public class DifferenceHashTests
{
    [Fact]
    public void Of_FallingRamp_SetsEveryBit()
    {
        Assert.Equal(ulong.MaxValue, DifferenceHash.Of(Ramp(x => 255 - (2 * x))).Bits);
        Assert.Equal(0UL, DifferenceHash.Of(Ramp(x => 2 * x)).Bits);
    }

    [Fact]
    public void DistanceTo_SmallerAndBrighterCopy_IsSmall()
    {
        var random = new Random(1);
        var image = new RgbImage(9, 8, [.. Enumerable.Range(0, 9 * 8 * 3).Select(_ => (byte)random.Next(200))]);
        var large = ImageResizer.Resize(image, 180, 160);
        var copy = ImageResizer.Resize(new RgbImage(180, 160, [.. large.Pixels.Select(value => (byte)(value + 20))]), 90, 80);
        var other = ImageResizer.Resize(
            new RgbImage(9, 8, [.. Enumerable.Range(0, 9 * 8 * 3).Select(_ => (byte)random.Next(200))]), 180, 160);
        Assert.InRange(DifferenceHash.Of(large).DistanceTo(DifferenceHash.Of(copy)), 0, 4);
        Assert.InRange(DifferenceHash.Of(large).DistanceTo(DifferenceHash.Of(other)), 16, 48);
    }

    private static RgbImage Ramp(Func<int, int> value)
    {
        var image = new RgbImage(90, 80);
        for (var y = 0; y < 80; y++)
        {
            for (var x = 0; x < 90; x++)
                image[x, y] = ((byte)value(x), (byte)value(x), (byte)value(x));
        }

        return image;
    }
}
