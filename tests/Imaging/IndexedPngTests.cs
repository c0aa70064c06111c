using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public class IndexedPngTests
{
    [Fact]
    public void Encode_FewColors_KeepsEveryPixel()
    {
        var image = new RgbImage(37, 11);
        for (var i = 0; i < 37 * 11; i++)
            image[i % 37, i / 37] = ((byte)(i % 8 * 30), (byte)(i % 5 * 50), 200);
        Assert.Equal(image.Pixels, ImageDecoder.Decode(IndexedPng.Encode(image), "test").Pixels);
    }

    [Fact]
    public void Encode_ManyColors_TakesTheNearestFrequentOnes()
    {
        var image = new RgbImage(100, 20);
        for (var i = 0; i < 2000; i++)
            image[i % 100, i / 100] = i < 1000 ? ((byte)10, (byte)20, (byte)30) : ((byte)(i % 256), (byte)(i % 256), (byte)(i % 256));
        var read = ImageDecoder.Decode(IndexedPng.Encode(image), "test");
        Assert.Equal(((byte)10, (byte)20, (byte)30), read[50, 3]);
        Assert.InRange(Enumerable.Range(0, 2000).Select(i => read[i % 100, i / 100]).Distinct().Count(), 2, 64);
    }
}
