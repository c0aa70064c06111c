using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class ImageEncoderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-encoder-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static RgbImage Gradient()
    {
        var image = new RgbImage(40, 30);
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x++)
                image[x, y] = ((byte)(6 * x), (byte)(8 * y), (byte)(3 * (x + y)));
        }

        return image;
    }

    [Fact]
    public void Save_Png_KeepsEveryPixel()
    {
        var path = Path.Combine(_folder, "new", "a.PNG");
        ImageEncoder.Save(path, Gradient());
        Assert.Equal(ImageFormat.Png, InfoOf(path).Format);
        Assert.Equal(Gradient().Pixels, ImageDecoder.Load(path).Pixels);
    }

    [Fact]
    public void Save_Jpeg_StaysCloseAndFollowsTheQuality()
    {
        var path = Path.Combine(_folder, "a.jpg");
        ImageEncoder.Save(path, Gradient());
        Assert.Equal(ImageFormat.Jpeg, InfoOf(path).Format);
        var error = ImageDecoder.Load(path).Pixels.Zip(Gradient().Pixels, (a, b) => Math.Abs(a - b)).Average();
        Assert.True(error < 2, $"the mean error is {error} levels");
        Assert.True(ImageEncoder.EncodeJpeg(Gradient(), 30).Length < ImageEncoder.EncodeJpeg(Gradient(), 95).Length);
    }

    [Theory]
    [InlineData("a.gif", 95)]
    [InlineData("a", 95)]
    [InlineData("a.jpg", 0)]
    [InlineData("a.jpg", 101)]
    public void Save_WrongNameOrQuality_IsRefusedAndNothingIsWritten(string name, int quality)
    {
        Assert.Throws<LabException>(() => ImageEncoder.Save(Path.Combine(_folder, name), Gradient(), quality));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    private static ImageInfo InfoOf(string path) => ImageDecoder.ReadInfo(File.ReadAllBytes(path), path);
}
