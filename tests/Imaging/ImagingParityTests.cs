using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

/// <summary>
/// The golden pictures, as their manifest lists them. Sources that are PNG must be equal to the last bit; sources that are JPEG may differ
/// by 2 of 255 levels, since another libjpeg decodes them.
/// </summary>
[Trait("Category", "Parity")]
public sealed partial class ImagingParityTests
{
    [SkippableFact]
    public void PixelValues_EveryPictureSizeAndCrop_EqualTheReference()
    {
        Skip.If(GoldenImages.Folder is null, "no golden fixtures");
        var expected = GoldenImages.Tensors<float>();
        var integers = GoldenImages.Tensors<long>();
        var names = GoldenImages.Manifest.GetProperty("files").GetProperty("pixel_values.safetensors").GetProperty("tensors")
            .EnumerateObject().Where(tensor => tensor.Value.GetProperty("dtype").GetString() == "float32").Select(tensor => tensor.Name).ToArray();
        Assert.NotEmpty(names);
        foreach (var name in names)
        {
            var match = PixelValuesName().Match(name);
            Assert.True(match.Success, $"{name}: the form of this name is not known");
            var size = Number(match, "size");
            var image = ImageResizer.ResizeShortSide(Source(match.Groups["file"].Value), size);
            if (match.Groups["flip"].Success)
                image = ImageTransforms.FlipHorizontally(image);
            var box = CropBox.Center(image.Width, image.Height, size, size);
            if (match.Groups["crop"].Success)
            {
                var corner = integers[$"{match.Groups["file"].Value}.size{size}.crop_yx"];
                box = new CropBox((int)corner[1], (int)corner[0], size, size);
            }

            var values = PixelValues.FromImage(ImageTransforms.Crop(image, box));
            Assert.Equal(expected[name].Length, values.Length);
            var difference = values.Zip(expected[name], (ours, theirs) => Math.Abs(ours - theirs)).Max();
            Assert.True(difference <= Levels(match.Groups["file"].Value) / 127.4f, $"{name} differs by {difference}");
        }
    }

    [SkippableFact]
    public void ResizeShortSide_EveryPicture_EqualsTheReference()
    {
        Skip.If(GoldenImages.Folder is null, "no golden fixtures");
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

    [SkippableFact]
    public void Load_EveryJpeg_IsWithinTwoLevelsOfTheReference()
    {
        Skip.If(GoldenImages.Folder is null, "no golden fixtures");
        var names = Listed("decoded/");
        Assert.NotEmpty(names);
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

    [SkippableFact]
    public void ReadInfo_EverySource_NamesTheUprightSizeAndTheOrientation()
    {
        Skip.If(GoldenImages.Folder is null, "no golden fixtures");
        var checkedFiles = 0;
        foreach (var file in GoldenImages.Manifest.GetProperty("files").EnumerateObject().Where(file => file.Name.StartsWith("src/", StringComparison.Ordinal)))
        {
            var match = SourceAbout().Match(file.Value.GetProperty("about").GetString()!);
            Assert.True(match.Success, $"{file.Name}: the form of its description is not known");
            var info = ImageDecoder.ReadInfo(Path.Combine(GoldenImages.Folder!, file.Name));
            Assert.Equal((Number(match, "width"), Number(match, "height")), (info.Width, info.Height));
            var orientation = match.Groups["orientation"].Value == "None" ? 1 : Number(match, "orientation");
            Assert.Equal((ExifOrientation)orientation, info.Orientation);
            var mode = info.Mode switch { PixelMode.Gray => "L", PixelMode.Palette => "P", PixelMode.RgbAlpha => "RGBA", PixelMode.Rgb => "RGB", _ => "?" };
            Assert.Equal(match.Groups["mode"].Value, mode);
            checkedFiles++;
        }

        Assert.NotEqual(0, checkedFiles);
    }

    private static RgbImage Source(string file) => ImageDecoder.Load(Path.Combine(GoldenImages.Folder!, "src", file));

    private static int Levels(string file) => file.EndsWith(".png", StringComparison.Ordinal) ? 0 : 2;

    private static string[] Listed(string folder) =>
        [.. GoldenImages.Manifest.GetProperty("files").EnumerateObject().Select(file => file.Name).Where(name => name.StartsWith(folder, StringComparison.Ordinal))];

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static void AssertEqual(string name, RgbImage image, int levels)
    {
        var expected = ImageDecoder.Load(Path.Combine(GoldenImages.Folder!, name));
        Assert.Equal((expected.Width, expected.Height), (image.Width, image.Height));
        var difference = image.Pixels.Zip(expected.Pixels, (ours, theirs) => Math.Abs(ours - theirs)).Max();
        Assert.True(difference <= levels, $"{name} differs by {difference} levels, {levels} are allowed");
    }

    [GeneratedRegex(@"^(?<file>.+)\.size(?<size>\d+)(?<crop>\.crop(?<flip>_flip)?)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex PixelValuesName();

    [GeneratedRegex(@"^resized/(?<file>.+)\.(?<size>\d+)\.png$", RegexOptions.ExplicitCapture)]
    private static partial Regex ResizedName();

    [GeneratedRegex(@"^decoded/(?<file>.+?)(\.crop(?<left>\d+)_(?<top>\d+)_(?<right>\d+)_(?<bottom>\d+))?\.png$", RegexOptions.ExplicitCapture)]
    private static partial Regex DecodedName();

    [GeneratedRegex(@"mode (?<mode>\w+), upright size (?<width>\d+)x(?<height>\d+), EXIF orientation (?<orientation>\w+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex SourceAbout();
}
