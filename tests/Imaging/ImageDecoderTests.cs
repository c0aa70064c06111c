using System.Buffers.Binary;
using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;
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
        Assert.Equal(PixelMode.Cmyk, InfoOf(Path.Combine(Modes, "cmyk.jpg")).Mode);
        Assert.Equal(PixelMode.Gray16, InfoOf(Path.Combine(Modes, "gray16.png")).Mode);
        Assert.Equal(PixelMode.Color16, InfoOf(Path.Combine(Modes, "rgba16.png")).Mode);
        Assert.Equal(PixelMode.Gray, InfoOf(Path.Combine(Modes, "gray.jpg")).Mode);
        Assert.Equal(PixelMode.RgbAlpha, InfoOf(Path.Combine(Modes, "alpha.webp")).Mode);
        Assert.Equal(
            new ImageInfo(ImageFormat.Webp, PixelMode.Rgb, 37, 29, ExifOrientation.Rotate90Clockwise),
            InfoOf(Path.Combine(Modes, "exif6.webp")));
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

    // Rows are copied four pixels at a time; widths around that, and one row alone, lose none.
    [Fact]
    public void Decode_EveryNarrowWidth_GivesEveryPixel()
    {
        for (var width = 1; width <= 18; width++)
        {
            var image = new RgbImage(width, 1 + (width % 3));
            new Random(width).NextBytes(image.Pixels);
            Assert.Equal(image.Pixels, ImageDecoder.Decode(ImageEncoder.EncodePng(image), "sample").Pixels);
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
        Assert.Equal("notes.png is not a picture in one of the formats that are read (jpg, png, webp, bmp, tiff).", error.Message);
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

    // A codec that gives no row before it has read all keeps four bytes a pixel, and cannot be told to keep fewer.
    [Fact]
    public void Decode_LosslessWebpLargerThanIsHeld_IsRefusedByItsHeader()
    {
        var file = PlainWebp.Of(13_377, 13_377).Concat(new byte[40_000]).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(
            "plain is a Webp picture of 13377x13377 pixels that cannot be decoded in parts: it would take 811 MiB at once. Of its kind at "
            + "most 134 megapixels are decoded. Make it smaller, or save it as PNG.",
            Assert.Throws<LabException>(() => ImageDecoder.Examine(file, "plain")).Message);
        Assert.Contains(
            "at most 76 megapixels are decoded", Assert.Throws<LabException>(
                () => ImageDecoder.Decode([.. PlainWebp.Of(10_000, 7_700), .. new byte[40_000]], "plain")).Message,
            StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("webp", 4.0)]
    [InlineData("png", 0.0)]
    [InlineData("jpg", 0.0)]
    [InlineData("bmp", 0.0)]
    [InlineData("lossy webp", 0.0)]
    [InlineData("lossy webp with transparency", 5.0)]
    [InlineData("animated lossless webp", 4.0)]
    [InlineData("progressive jpg", 6.0)]
    [InlineData("progressive jpg, halved colours", 3.0)]
    [InlineData("progressive gray jpg", 2.0)]
    public void ReadHeader_EveryKind_TellsWhatItsCodecHolds(string kind, double bytes)
    {
        static byte[] Chunk(string name, params byte[] content) =>
            [.. Encoding.ASCII.GetBytes(name), .. BitConverter.GetBytes(content.Length), .. content];
        static byte[] Webp(params byte[][] chunks) => [.. "RIFF"u8, 0, 0, 0, 0, .. "WEBP"u8, .. chunks.SelectMany(chunk => chunk)];
        static byte[] Progressive(params byte[] factors) => [0xFF, 0xD8, 0xFF, 0xC2, 0, (byte)(8 + 3 * factors.Length), 8, 0, 9, 0, 9,
            (byte)factors.Length, .. factors.SelectMany((factor, i) => new byte[] { (byte)i, factor, 0 })];
        var picture = PictureSamples.Draw(20, 20, 1);
        byte[] file = kind switch
        {
            "webp" => PlainWebp.Of(20, 20),
            "png" => ImageEncoder.EncodePng(picture),
            "jpg" => ImageEncoder.EncodeJpeg(picture),
            "bmp" => [.. "BM"u8, .. new byte[60]],
            "lossy webp" => Webp(Chunk("VP8X", new byte[10]), Chunk("VP8 ", new byte[20])),
            "lossy webp with transparency" => Webp(Chunk("VP8X", new byte[10]), Chunk("ALPH", 1, 0), Chunk("VP8 ", new byte[20])),
            "animated lossless webp" => Webp(Chunk("VP8X", new byte[10]), Chunk("ANMF", [.. new byte[16], .. Chunk("VP8L", new byte[6])])),
            "progressive jpg" => Progressive(0x11, 0x11, 0x11),
            "progressive jpg, halved colours" => Progressive(0x22, 0x11, 0x11),
            _ => Progressive(0x11),
        };
        Assert.Equal(bytes, ImageHeader.Read(file)!.Value.HeldPerPixel);
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

    private static ImageInfo InfoOf(string path) => ImageDecoder.ReadInfo(File.ReadAllBytes(path), path);
}
