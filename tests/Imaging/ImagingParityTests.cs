#pragma warning disable CA1305, CA1310
using Dreambooth.Lab.Imaging;
using Xunit.Abstractions;

namespace Dreambooth.Lab.Tests.Imaging;

[Trait("Category", "Parity")]
public sealed class ImagingParityTests(ITestOutputHelper output)
{
    [Fact]
    public void Probe()
    {
        var folder = GoldenImages.Folder!;
        var f = GoldenImages.Tensors<float>();
        foreach (var (key, expected) in f)
        {
            if (key.EndsWith("yx")) continue;
            var parts = key.Split(".size");
            var size = int.Parse(parts[1].Split('.')[0]);
            var im = ImageResizer.ResizeShortSide(ImageDecoder.Load(Path.Combine(folder, "src", parts[0])), size);
            if (parts[1].EndsWith("flip")) im = ImageTransforms.FlipHorizontally(im);
            var box = CropBox.Center(im.Width, im.Height, size, size);
            if (parts[1].Contains("crop"))
            {
                var yx = GoldenImages.Tensors<long>()[$"{parts[0]}.size{size}.crop_yx"];
                box = new CropBox((int)yx[1], (int)yx[0], size, size);
            }

            var got = PixelValues.FromImage(ImageTransforms.Crop(im, box));
            output.WriteLine($"{key}: {got.Zip(expected).Max(p => Math.Abs(p.First - p.Second)) * 127.5} unequal {got.Zip(expected).Count(p => p.First != p.Second)}");
        }

        var c = ImageTransforms.Crop(ImageDecoder.Load(Path.Combine(folder, "src/gmc_006.jpeg")), new CropBox(400, 400, 128, 96)).Pixels;
        var e = ImageDecoder.Load(Path.Combine(folder, "decoded/gmc_006.jpeg.crop400_400_528_496.png")).Pixels;
        output.WriteLine($"jpeg {c.Zip(e).Max(p => Math.Abs(p.First - p.Second))} {c.Zip(e).Count(p => p.First != p.Second)}");
        c = ImageDecoder.Load(Path.Combine(folder, "src/exif6.jpg")).Pixels;
        e = ImageDecoder.Load(Path.Combine(folder, "decoded/exif6.jpg.png")).Pixels;
        output.WriteLine($"jpeg {c.Zip(e).Max(p => Math.Abs(p.First - p.Second))} {c.Zip(e).Count(p => p.First != p.Second)}");
    }
}
