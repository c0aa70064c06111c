using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class CropBoxTests
{
    // Expected offsets are int(round((image - crop) / 2)) in Python; where the picture is smaller, minus (crop - image) // 2.
    [Theory]
    [InlineData(85, 64, 10)]
    [InlineData(67, 64, 2)]
    [InlineData(65, 64, 0)]
    [InlineData(69, 64, 2)]
    [InlineData(71, 64, 4)]
    [InlineData(64, 64, 0)]
    [InlineData(61, 64, -1)]
    [InlineData(60, 64, -2)]
    public void Center_AnySize_RoundsAsPython(int image, int crop, int expected)
    {
        Assert.Equal(new CropBox(expected, 0, crop, 7), CropBox.Center(image, 7, crop, 7));
        Assert.Equal(new CropBox(0, expected, 7, crop), CropBox.Center(7, image, 7, crop));
    }

    [Fact]
    public void Random_AllPlaces_AreReachedAndInside()
    {
        var random = new Random(1);
        var boxes = Enumerable.Range(0, 500).Select(_ => CropBox.Random(7, 6, 4, 5, random.Next)).ToHashSet();
        Assert.Equal(8, boxes.Count);
        Assert.All(boxes, box => Assert.True(box is { Left: >= 0 and <= 3, Top: >= 0 and <= 1, Width: 4, Height: 5 }));
    }

    [Fact]
    public void Random_LargerThanThePicture_IsRefused() =>
        Assert.Throws<LabException>(() => CropBox.Random(7, 6, 8, 5, new Random(1).Next));
}
