using System.Buffers.Binary;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Imaging;

/// <summary>
/// The pictures in tests/fixtures/imaging/modes beside what PIL decodes them to; make_modes.py there says how they were made.
/// </summary>
public sealed class ImageDecoderTests
{
    public static string Modes { get; } = Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "imaging", "modes");

    public static TheoryData<string> Pictures =>
        [.. Directory.GetFiles(Modes).Where(path => !path.EndsWith(".rgb", StringComparison.Ordinal)).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Pictures))]
    public void Load_EachModeAndFormat_GivesThePixelsOfPil(string name)
    {
        var image = ImageDecoder.Load(Path.Combine(Modes, name));
        var expected = File.ReadAllBytes(Path.Combine(Modes, name + ".rgb"));

        Assert.Equal(BinaryPrimitives.ReadUInt16LittleEndian(expected), image.Width);
        Assert.Equal(BinaryPrimitives.ReadUInt16LittleEndian(expected.AsSpan(2)), image.Height);
        var difference = image.Pixels.Zip(expected.Skip(4), (ours, theirs) => Math.Abs(ours - theirs)).Max();
        var allowed = name.EndsWith(".jpg", StringComparison.Ordinal) ? 2 : 0;
        Assert.True(difference <= allowed, $"{name} differs by {difference} levels, {allowed} are allowed");
    }

    [Fact]
    public void ReadInfo_KindsThatTrainingRefuses_AreTold()
    {
        Assert.Equal(PixelMode.Cmyk, ImageDecoder.ReadInfo(Path.Combine(Modes, "cmyk.jpg")).Mode);
        Assert.Equal(PixelMode.Gray16, ImageDecoder.ReadInfo(Path.Combine(Modes, "gray16.png")).Mode);
        Assert.Equal(PixelMode.Color16, ImageDecoder.ReadInfo(Path.Combine(Modes, "rgba16.png")).Mode);
        Assert.Equal(PixelMode.Gray, ImageDecoder.ReadInfo(Path.Combine(Modes, "gray.jpg")).Mode);
        Assert.Equal(PixelMode.RgbAlpha, ImageDecoder.ReadInfo(Path.Combine(Modes, "alpha.webp")).Mode);
        Assert.Equal(
            new ImageInfo(ImageFormat.Webp, PixelMode.Rgb, 37, 29, ExifOrientation.Rotate90Clockwise),
            ImageDecoder.ReadInfo(Path.Combine(Modes, "exif6.webp")));
    }

    [Theory]
    [InlineData("rgb.png")]
    [InlineData("rgb420.jpg")]
    [InlineData("lossless.webp")]
    [InlineData("rgb.bmp")]
    public void Decode_FileCutOffAnywhere_GivesOneClearError(string name)
    {
        var file = File.ReadAllBytes(Path.Combine(Modes, name));
        for (var length = 0; length < file.Length * 9 / 10; length += 17)
        {
            var error = Assert.Throws<LabException>(() => ImageDecoder.Decode(file[..length], "photo"));
            Assert.StartsWith("photo", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Decode_BytesChangedAtRandom_NeverFailsOtherwiseThanWithAClearError()
    {
        var random = new Random(5);
        foreach (var path in Directory.GetFiles(Modes).Where(path => !path.EndsWith(".rgb", StringComparison.Ordinal)))
        {
            for (var round = 0; round < 20; round++)
            {
                var file = File.ReadAllBytes(path);
                for (var change = 0; change < 4; change++)
                    file[random.Next(Math.Min(file.Length, 300))] = (byte)random.Next(256);
                var error = Record.Exception(() => ImageDecoder.Decode(file, "photo"));
                Assert.True(error is null or LabException, $"{path}: {error}");
            }
        }
    }

    [Fact]
    public void Load_NoSuchFile_NamesIt()
    {
        var error = Assert.Throws<LabException>(() => ImageDecoder.Load("nowhere/cat.png"));
        Assert.Contains("nowhere/cat.png", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_Text_SaysWhatIsRead()
    {
        var error = Assert.Throws<LabException>(() => ImageDecoder.Decode("hello, this is text"u8.ToArray(), "notes.png"));
        Assert.Equal("notes.png is not a picture in one of the formats that are read (jpg, png, webp, bmp).", error.Message);
    }

    [Fact]
    public void Decode_PlainWebp_IsItsColour()
    {
        var image = ImageDecoder.Decode(PlainWebp.Of(40, 30), "plain");
        Assert.Equal((40, 30), (image.Width, image.Height));
        Assert.Equal((10, 20, 30), image[39, 29]);
    }

    [Theory]
    [InlineData(13_377, 13_377, "one plain area")]
    [InlineData(16_383, 16_383, "more than the 178956970 that are decoded")]
    public void Decode_FewBytesWithVeryManyPixels_AreRefusedByTheirHeader(int width, int height, string reason)
    {
        var file = PlainWebp.Of(width, height);
        Assert.InRange(file.Length, 30, 40);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(reason, Assert.Throws<LabException>(() => ImageDecoder.Decode(file, "plain")).Message, StringComparison.Ordinal);
        Assert.Contains(reason, Assert.Throws<LabException>(() => ImageDecoder.Examine(file, "plain")).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void LoadOverWhite_TransparentPixels_AreLaidOverWhite()
    {
        var path = Path.Combine(Path.GetTempPath(), $"lab-white-{Guid.NewGuid():N}.webp");
        try
        {
            foreach (var (alpha, expected) in new (byte, (byte, byte, byte))[] { (255, (10, 20, 30)), (0, (255, 255, 255)),
                (51, (206, 208, 210)) })
            {
                File.WriteAllBytes(path, PlainWebp.Of(4, 3, alpha: alpha));
                Assert.Equal(expected, ImageDecoder.LoadOverWhite(path)[3, 2]);
                Assert.Equal(alpha < 255, ImageDecoder.Examine(File.ReadAllBytes(path), path));
                Assert.Equal((10, 20, 30), ImageDecoder.Load(path)[3, 2]);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }
}
