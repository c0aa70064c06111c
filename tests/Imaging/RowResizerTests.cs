using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class RowResizerTests : IDisposable
{
    private readonly PictureSamples _pictures = new();

    public void Dispose() => _pictures.Dispose();

    [Theory]
    [InlineData(61, 47, 16, 12)]
    [InlineData(61, 47, 61, 20)]
    [InlineData(61, 47, 20, 47)]
    [InlineData(12, 9, 40, 33)]
    public void Finish_EveryOrientation_IsTheUprightPictureResized(int storedWidth, int storedHeight, int width, int height)
    {
        var stored = PictureSamples.Draw(storedWidth, storedHeight, 3);
        Assert.All(Enum.GetValues<ExifOrientation>(), orientation =>
        {
            var expected = ImageResizer.Resize(ImageTransforms.Orient(stored, orientation), width, height);
            var resizer = new RowResizer(storedWidth, storedHeight, orientation, width, height);
            for (var y = 0; y < storedHeight; y++)
                resizer.Add(y, stored.Row(y).ToArray());
            Assert.Equal(expected.Pixels, resizer.Finish().Pixels);
        });
    }

    [Theory]
    [InlineData("a.jpg")]
    [InlineData("a.png")]
    [InlineData("a.webp")]
    public void Read_InBandsOfAFewRows_GivesTheRowsOfTheWhole(string name)
    {
        var file = Encode(name, PictureSamples.Draw(61, 47, 2));
        var whole = ImageDecoder.Decode(file, name);
        foreach (var bandBytes in new[] { 1, 5 * 4 * 61, 8 * 4 * 61, 46 * 4 * 61 })
        {
            var (rows, next) = (new RgbImage(61, 47), 0);
            using var picture = OpenPicture.Of(file, name);
            PictureRows.Read(picture.Codec, name, (y, row) =>
            {
                Assert.Equal(next++, y);
                for (var x = 0; x < 61; x++)
                    rows[x, y] = (row[4 * x], row[4 * x + 1], row[4 * x + 2]);
            }, bandBytes);
            Assert.Equal(47, next);
            Assert.Equal(whole.Pixels, rows.Pixels);
        }
    }

    // Their rows are stored from the bottom, but for the last, whose height is negated.
    [Theory]
    [InlineData("rgb.bmp", false)]
    [InlineData("rgba.bmp", false)]
    [InlineData("palette.bmp", false)]
    [InlineData("bilevel.bmp", false)]
    [InlineData("rgb.bmp", true)]
    public void Read_BmpInBandsOfAFewRows_GivesTheRowsOfTheWhole(string name, bool fromTheTop)
    {
        var file = File.ReadAllBytes(Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "imaging", "modes", name));
        if (fromTheTop)
            BitConverter.TryWriteBytes(file.AsSpan(22), -BitConverter.ToInt32(file, 22));
        var whole = ImageDecoder.Decode(file, name);
        foreach (var rows in new[] { 1, 2, 4, whole.Height - 1 })
        {
            var (banded, next) = (new RgbImage(whole.Width, whole.Height), 0);
            using var picture = OpenPicture.Of(file, name);
            PictureRows.Read(picture.Codec, name, (y, row) =>
            {
                Assert.Equal(next++, y);
                for (var x = 0; x < whole.Width; x++)
                    banded[x, y] = (row[4 * x], row[4 * x + 1], row[4 * x + 2]);
            }, rows * 4 * whole.Width);
            Assert.Equal(whole.Height, next);
            Assert.Equal(whole.Pixels, banded.Pixels);
        }
    }

    [Theory]
    [InlineData("a.jpg")]
    [InlineData("a.png")]
    [InlineData("a.webp")]
    public void Read_CutOffFileInBands_IsRefused(string name)
    {
        var file = Encode(name, PictureSamples.Draw(61, 47, 2));
        using var picture = OpenPicture.Of(file[..(file.Length * 3 / 4)], name);
        var error = Assert.Throws<LabException>(() => PictureRows.Read(picture.Codec, name, (_, _) => { }, 4 * 4 * 61));
        Assert.StartsWith(name + " is ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadShortSide_TransparentPicture_IsTheWholeOverWhiteResized()
    {
        File.WriteAllBytes(_pictures.PathOf("a.webp"), PlainWebp.Of(60, 40, alpha: 100));
        var expected = ImageResizer.ResizeShortSide(ImageDecoder.LoadOverWhite(_pictures.PathOf("a.webp")), 16);
        Assert.Equal(expected.Pixels, ImageDecoder.LoadShortSide(_pictures.PathOf("a.webp"), 16).Pixels);
    }

    private static byte[] Encode(string name, RgbImage image)
    {
        return Path.GetExtension(name) switch
        {
            ".png" => ImageEncoder.EncodePng(image),
            ".jpg" => ImageEncoder.EncodeJpeg(image),
            _ => ImageEncoder.EncodeWebp(image),
        };
    }
}
