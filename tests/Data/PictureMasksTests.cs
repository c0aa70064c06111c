using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using SkiaSharp;

namespace Dreambooth.Lab.Tests.Data;

public sealed class PictureMasksTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly PictureSamples _masks = new();

    public void Dispose()
    {
        _pictures.Dispose();
        _masks.Dispose();
    }

    private DreamBoothDatasetOptions Options => new()
    {
        InstanceDataDir = _pictures.Folder,
        InstancePrompt = "a photo of sks cat",
        Resolution = 32,
        Mask = MaskSource.Folder,
        MaskDataDir = _masks.Folder,
    };

    /// <summary>A mask that is white to the left of a column.</summary>
    private void AddMask(string name, int width, int height, int white) =>
        ImageEncoder.Save(_masks.PathOf(name), Mask(width, height, white));

    private static RgbImage Mask(int width, int height, int white)
    {
        var image = new RgbImage(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < white; x++)
                image[x, y] = (255, 255, 255);
        }

        return image;
    }

    private void AddTransparent(string name, int width, int height, int opaque)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                bitmap.SetPixel(x, y, new SKColor(9, 99, 200, x < opaque ? (byte)255 : (byte)0));
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(_pictures.PathOf(name), data.ToArray());
    }

    [Fact]
    public void Of_View_IsTheMaskResizedFlippedAndCroppedAsThePicture()
    {
        _pictures.Add("a.png", 60, 48);
        AddMask("a.jpg", 60, 48, 60);
        AddMask("a.png", 60, 48, 30);
        File.Delete(_masks.PathOf("a.jpg"));
        var dataset = DreamBoothDataset.Load(Options with { RandomFlip = true });
        foreach (var flip in new[] { false, true })
        {
            var view = dataset.Rows([0], 0)[0].View with { Flip = flip };
            var whole = ImageResizer.ResizeShortSide(Mask(60, 48, 30), 32);
            var expected = ImageTransforms.Crop(flip ? ImageTransforms.FlipHorizontally(whole) : whole, view.Crop);
            var values = dataset.Masks!.Of(view);
            Assert.Equal(Enumerable.Range(0, 32 * 32).Select(i => expected.Pixels[3 * i] / 255f), values);
            Assert.Equal(flip ? 0f : 1f, values[0]);
        }
    }

    [Fact]
    public void Of_Alpha_IsWhatIsOpaque()
    {
        AddTransparent("a.png", 64, 64, 20);
        var dataset = DreamBoothDataset.Load(Options with { Mask = MaskSource.Alpha, MaskDataDir = null, CenterCrop = true });
        var values = dataset.Masks!.Of(dataset.Rows([0], 0)[0].View);
        Assert.Equal((1f, 0f), (values[0], values[31]));
        Assert.Equal(10 * 32, values.Sum(), 1e-3);
        Assert.Empty(dataset.Masks.Files);
    }

    [Fact]
    public void Load_MasksThatCannotBeMeant_AreNamedTogether()
    {
        foreach (var name in new[] { "a", "b", "c", "d" })
            _pictures.Add($"{name}.png", 60, 48);
        AddMask("a.png", 60, 48, 30);
        AddMask("b.png", 48, 60, 30);
        AddMask("c.png", 60, 48, 0);
        Assert.Contains("1 of 4 pictures have no mask in", Refusal(Options), StringComparison.Ordinal);
        File.WriteAllText(_masks.PathOf("d.png"), "no picture");
        var error = Refusal(Options);
        Assert.Contains("3 of 4 masks cannot be used", error, StringComparison.Ordinal);
        Assert.Contains("b.png: the mask has 48x60 pixels, the picture 60x48", error, StringComparison.Ordinal);
        Assert.Contains("c.png: the mask is black all over", error, StringComparison.Ordinal);
        Assert.Contains("d.png: ", error, StringComparison.Ordinal);
        Assert.Contains("does not exist", Refusal(Options with { MaskDataDir = _masks.PathOf("none") }), StringComparison.Ordinal);
        Assert.Contains("no picture of", Refusal(Options with { Mask = MaskSource.Alpha }), StringComparison.Ordinal);
    }

    [Fact]
    public void OfInstances_MasksThatLeaveNothingOut_AreSaid()
    {
        _pictures.Add("a.png", 60, 48);
        _pictures.Add("b.png", 60, 48);
        AddMask("a.png", 60, 48, 60);
        AddMask("b.png", 60, 48, 30);
        Assert.Equal(
            "The masks of 1 of 2 pictures leave nothing out: a.png.", Assert.Single(DatasetReport.OfInstances(
                DreamBoothDataset.Load(Options)).Warnings));
    }

    private static string Refusal(DreamBoothDatasetOptions options) =>
        Assert.Throws<LabException>(() => DreamBoothDataset.Load(options)).Message;
}
