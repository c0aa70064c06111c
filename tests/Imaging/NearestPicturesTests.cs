using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class NearestPicturesTests : IDisposable
{
    private readonly PictureSamples _pictures = new();

    public NearestPicturesTests()
    {
        _pictures.AddMany(3);
    }

    public void Dispose() => _pictures.Dispose();

    [Fact]
    public void Of_CopyMirroredOrBrightened_FindsThePictureWithLikenessOne()
    {
        var nearest = NearestPictures.In(_pictures.Folder);
        var second = ImageDecoder.Load(PathOf("1.png"));
        Assert.Equal(("1.png", 1), Found(second));
        Assert.Equal(("1.png", 1), Found(ImageTransforms.FlipHorizontally(second)));
        Assert.Equal(
            ("1.png", 1), Found(new RgbImage(second.Width, second.Height, [.. second.Pixels.Select(value => (byte)(40 + (value / 2)))])));
        Assert.Equal(1, new NearestPictures([PathOf("1.png"), PathOf("1.png")]).AmongThemselves, 1e-9);
        Assert.Equal(
            nearest.AmongThemselves, new NearestPictures([PathOf("2.png"), PathOf("0.png"), PathOf("1.png")]).AmongThemselves, 1e-9);
        Assert.Equal(double.NaN, new NearestPictures([PathOf("1.png")]).AmongThemselves);

        (string, double) Found(RgbImage image)
        {
            var (path, likeness) = nearest.Of(image);
            return (Path.GetFileName(path), Math.Round(likeness, 2));
        }
    }

    [Fact]
    public void Of_PlainPicture_ResemblesNone() =>
        Assert.Equal(0, NearestPictures.In(_pictures.Folder).Of(new RgbImage(20, 20)).Likeness, 1e-9);

    private string PathOf(string name) => Path.Combine(_pictures.Folder, name);

    [Fact]
    public void In_FolderWithoutPictures_IsRefused()
    {
        Assert.Throws<LabException>(() => NearestPictures.In(Path.Combine(_pictures.Folder, "none")));
        Assert.Throws<LabException>(() => new NearestPictures([]));
    }
}
