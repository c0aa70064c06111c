using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Lessons;

/// <summary>Makes damaged copies of good photos, to demonstrate that a <see cref="PhotoReview"/> rejects them.</summary>
public static class DamagedPhotos
{
    /// <summary>
    /// Copies a folder's pictures and adds four damaged ones: a blurred one, one that is too small, a near copy, and one much wider than
    /// high.
    /// </summary>
    /// <param name="source">A folder with at least two good pictures.</param>
    /// <param name="target">The folder to fill; created when missing, files of the same names are replaced.</param>
    /// <param name="good">How many good pictures are copied, 2 or more.</param>
    /// <exception cref="LabException">The folder holds fewer than two usable pictures.</exception>
    public static void Make(string source, string target, int good = 6)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(good, 2);
        var pictures = PictureFolder.Read(source, BadImagePolicy.Skip).Pictures;
        if (pictures.Count < 2)
            throw new LabException($"{source} holds {pictures.Count} usable pictures; two at least are needed.");
        Directory.CreateDirectory(target);
        foreach (var picture in pictures.Take(good))
            File.Copy(picture.Path, Path.Combine(target, Path.GetFileName(picture.Path)), overwrite: true);
        var (first, second) = (ImageDecoder.Load(pictures[0].Path), ImageDecoder.Load(pictures[1].Path));
        int width = first.Width, height = first.Height;
        RgbImage Smaller(int factor) => ImageResizer.Resize(second, Math.Max(1, width / factor), Math.Max(1, height / factor));
        var strip = ImageTransforms.Crop(second, new CropBox(0, height / 3, width, Math.Max(1, height / 3)));
        ImageEncoder.Save(Path.Combine(target, "x_blurred.png"), ImageResizer.Resize(Smaller(8), width, height));
        ImageEncoder.Save(Path.Combine(target, "x_small.png"), Smaller(2));
        ImageEncoder.Save(Path.Combine(target, "x_copy.jpg"), Brighter(first), 70);
        ImageEncoder.Save(Path.Combine(target, "x_wide.png"), ImageResizer.Resize(strip, 3 * width, height));
    }

    private static RgbImage Brighter(RgbImage image) =>
        new(image.Width, image.Height, [.. image.Pixels.Select(value => (byte)Math.Min(255, value + 12))]);
}
