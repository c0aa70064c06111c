using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Imaging;

/// <summary>
/// The golden pictures, as their manifest lists them. Sources that are PNG must be equal to the last bit; sources that are JPEG may differ
/// by 2 of 255 levels, since another libjpeg decodes them.
/// </summary>
[Trait("Category", "Parity")]
public sealed partial class ImagingParityTests
{
    public static TheoryData<GoldenCase> Pixels => GoldenSet.KeyCases("images", @"^(?<case>.+\.size\d+(\.crop(_flip)?)?)$");

    [Theory]
    [MemberData(nameof(Pixels))]
    public void PixelValues_EachPictureSizeAndCrop_EqualTheReference(GoldenCase golden)
    {
        golden.Require();
        var match = PixelValuesName().Match(golden.Key!);
        Assert.True(match.Success, $"{golden}: the form of this name is not known");
        var (file, size) = (match.Groups["file"].Value, Number(match, "size"));
        var image = ImageResizer.ResizeShortSide(Source(file), size);
        if (match.Groups["flip"].Success)
            image = ImageTransforms.FlipHorizontally(image);
        var box = CropBox.Center(image.Width, image.Height, size, size);
        if (match.Groups["crop"].Success)
        {
            using var corner = GoldenSet.Load(golden.Folder, golden.File, $"{file}.size{size}.crop_yx");
            box = new CropBox((int)corner[1].item<long>(), (int)corner[0].item<long>(), size, size);
        }

        using var scope = NewDisposeScope();
        var expected = GoldenSet.Load(golden.Folder, golden.File, golden.Key!).unsqueeze(0);
        var values = PixelTensors.Stack([ImageTransforms.Crop(image, box)]);
        if (Levels(file) == 0)
            GoldenAssert.Exact(expected, values, golden.ToString());
        Assert.Equal(expected.shape, values.shape);
        var difference = (values - expected).abs().max().item<float>();
        Assert.True(difference <= Levels(file) / 127.4f, $"{golden} differs by {difference}");
    }

    [Fact]
    public void ResizeShortSide_EveryPicture_EqualsTheReference()
    {
        var names = Listed("resized/");
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            var match = ResizedName().Match(name);
            Assert.True(match.Success, $"{name}: the form of this name is not known");
            var file = match.Groups["file"].Value;
            AssertEqual(name, ImageResizer.ResizeShortSide(Source(file), Number(match, "size")), Levels(file));
        }
    }

    [Fact]
    public void Load_EveryJpeg_IsWithinTwoLevelsOfTheReference()
    {
        var names = Listed("decoded/");
        Assert.True(names.Length > 0 || !GoldenSet.IsFull, "the full set holds decoded pictures");
        foreach (var name in names)
        {
            var match = DecodedName().Match(name);
            Assert.True(match.Success, $"{name}: the form of this name is not known");
            var image = Source(match.Groups["file"].Value);
            if (match.Groups["left"].Success)
            {
                int left = Number(match, "left"), top = Number(match, "top");
                image = ImageTransforms.Crop(image, new CropBox(left, top, Number(match, "right") - left, Number(match, "bottom") - top));
            }

            AssertEqual(name, image, 2);
        }
    }

    [Fact]
    public void ReadInfo_EverySource_NamesTheUprightSizeAndTheOrientation()
    {
        var checkedFiles = 0;
        foreach (var file in GoldenSet.Manifest("images").Files.Where(file => file.Name.StartsWith("src/", StringComparison.Ordinal)))
        {
            var match = SourceAbout().Match(file.About);
            Assert.True(match.Success, $"{file.Name}: the form of its description is not known");
            var info = ImageDecoder.ReadInfo(File.ReadAllBytes(GoldenSet.PathOf("images", file.Name)), file.Name);
            Assert.Equal((Number(match, "width"), Number(match, "height")), (info.Width, info.Height));
            var orientation = match.Groups["orientation"].Value == "None" ? 1 : Number(match, "orientation");
            Assert.Equal((ExifOrientation)orientation, info.Orientation);
            var mode =
                info.Mode switch
                {
                    PixelMode.Gray => "L",
                    PixelMode.Palette => "P",
                    PixelMode.RgbAlpha => "RGBA",
                    PixelMode.Rgb =>
                    "RGB",
                    _ => "?"
                };
            Assert.Equal(match.Groups["mode"].Value, mode);
            checkedFiles++;
        }

        Assert.NotEqual(0, checkedFiles);
    }

    private static RgbImage Source(string file) => ImageDecoder.Load(GoldenSet.PathOf("images", "src/" + file));

    private static int Levels(string file) => file.EndsWith(".png", StringComparison.Ordinal) ? 0 : 2;

    private static string[] Listed(string folder) =>
        [.. GoldenSet.Manifest("images").Files.Select(file => file.Name).Where(name => name.StartsWith(folder, StringComparison.Ordinal))];

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static void AssertEqual(string name, RgbImage image, int levels)
    {
        var expected = ImageDecoder.Load(GoldenSet.PathOf("images", name));
        Assert.Equal((expected.Width, expected.Height), (image.Width, image.Height));
        var difference = image.Pixels.Zip(expected.Pixels, (ours, theirs) => Math.Abs(ours - theirs)).Max();
        Assert.True(difference <= levels, $"{name} differs by {difference} levels, {levels} are allowed");
    }

    [GeneratedRegex(@"^(?<file>.+)\.size(?<size>\d+)(?<crop>\.crop(?<flip>_flip)?)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex PixelValuesName();

    [GeneratedRegex(@"^resized/(?<file>.+)\.(?<size>\d+)\.png$", RegexOptions.ExplicitCapture)]
    private static partial Regex ResizedName();

    [GeneratedRegex(
        @"^decoded/(?<file>.+?)(\.crop(?<left>\d+)_(?<top>\d+)_(?<right>\d+)_(?<bottom>\d+))?\.png$", RegexOptions.ExplicitCapture)]
    private static partial Regex DecodedName();

    [GeneratedRegex(
        @"mode (?<mode>\w+), upright size (?<width>\d+)x(?<height>\d+), EXIF orientation (?<orientation>\w+)$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex SourceAbout();
}
