using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Reviews photos before training: what the training crop keeps of each, which are too small, blurred, or near copies of another.
/// </summary>
public sealed class PhotoReview
{
    /// <summary>
    /// Fingerprints that differ in at most this many of 64 bits are taken for the same scene. Bursts of one scene lie below 10; other
    /// photos of the same subject above 15.
    /// </summary>
    public const int AlikeBits = 8;

    /// <summary>A photo below this part of the folder's median sharpness is called blurred.</summary>
    public const double BlurredPart = 0.2;

    private PhotoReview(int resolution, IReadOnlyList<Photo> photos, IReadOnlyList<PhotoPair> alike) =>
        (Resolution, Photos, Alike) = (resolution, photos, alike);

    /// <summary>Side of the training pictures in pixels.</summary>
    public int Resolution { get; }

    /// <summary>The photos, sorted by file name.</summary>
    public IReadOnlyList<Photo> Photos { get; }

    /// <summary>Photos that look alike, the nearest first.</summary>
    public IReadOnlyList<PhotoPair> Alike { get; }

    /// <summary>The photos without a remark: those to train on.</summary>
    public IReadOnlyList<Photo> Good => [.. Photos.Where(photo => photo.Remarks.Count == 0)];

    /// <summary>Reviews a folder.</summary>
    /// <param name="folder">The photos' folder. Files that are no pictures or broken are left out.</param>
    /// <param name="resolution">Side of the training pictures in pixels, 16 or more.</param>
    /// <exception cref="LabException">The folder is missing or holds no usable picture.</exception>
    public static PhotoReview Of(string folder, int resolution)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resolution, 16);
        var pictures = PictureFolder.Read(folder, BadImagePolicy.Skip);
        if (pictures.Pictures.Count == 0)
            throw new LabException(
                $"{folder} holds no usable picture ({string.Join(", ", PictureFolder.Extensions)}).{PictureFolder.List(pictures.Bad)}");
        Photo[] measured = [.. pictures.Pictures.AsParallel().AsOrdered().Select(picture => Measure(picture, resolution))];
        var alike = Pairs(measured);
        var median = measured.Select(photo => photo.Sharpness).Order().ElementAt(measured.Length / 2);
        return new PhotoReview(
            resolution, [.. measured.Select(photo => photo with { Remarks = Remarks(photo, resolution, median, alike) })], alike);
    }

    /// <summary>A photo as training sees it: what the centre crop leaves out is dimmed.</summary>
    /// <param name="photo">One of <see cref="Photos"/>.</param>
    /// <exception cref="LabException">The file cannot be read any more.</exception>
    public RgbImage CropPreview(Photo photo)
    {
        ArgumentNullException.ThrowIfNull(photo);
        var image = ImageDecoder.LoadShortSide(photo.File.Path, Resolution);
        var box = photo.Crop;
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Row(y);
            var inside = y >= box.Top && y < box.Top + box.Height;
            for (var x = 0; x < image.Width; x++)
            {
                if (inside && x >= box.Left && x < box.Left + box.Width)
                    continue;
                for (var channel = 0; channel < 3; channel++)
                    row[(3 * x) + channel] = (byte)(160 + (row[(3 * x) + channel] / 4));
            }
        }

        return image;
    }

    /// <summary>Copies photos into a folder for training, and writes a caption beside each that has one.</summary>
    /// <param name="photos">The photos, usually <see cref="Good"/>.</param>
    /// <param name="folder">The folder; created when missing. Files of the same names are replaced.</param>
    /// <param name="caption">Gives a photo's caption, or null for the instance prompt alone.</param>
    /// <returns>How many photos were copied.</returns>
    public static int Prepare(IEnumerable<Photo> photos, string folder, Func<Photo, string?>? caption = null)
    {
        ArgumentNullException.ThrowIfNull(photos);
        Directory.CreateDirectory(folder);
        var count = 0;
        foreach (var photo in photos)
        {
            File.Copy(photo.File.Path, Path.Combine(folder, photo.Name), overwrite: true);
            if (caption?.Invoke(photo) is { Length: > 0 } text)
                AtomicFile.WriteAllText(Path.Combine(folder, Path.ChangeExtension(photo.Name, ".txt")), text + "\n");
            count++;
        }

        return count;
    }

    private static Photo Measure(PictureFile picture, int resolution)
    {
        var image = ImageDecoder.LoadShortSide(picture.Path, resolution);
        var crop = CropBox.Center(image.Width, image.Height, resolution, resolution);
        var kept = (double)resolution * resolution / ((double)image.Width * image.Height);
        return new Photo(picture, crop, kept, Sharpness.Of(image), DifferenceHash.Of(image), []);
    }

    private static PhotoPair[] Pairs(Photo[] photos) =>
    [
        .. photos.SelectMany(
            (first, i) => photos.Skip(i + 1).Select(second => new PhotoPair(first, second, first.Hash.DistanceTo(second.Hash))))
            .Where(pair => pair.Distance <= AlikeBits).OrderBy(pair => pair.Distance),
    ];

    private static List<string> Remarks(Photo photo, int resolution, double median, PhotoPair[] alike)
    {
        List<string> remarks = [];
        var side = Math.Min(photo.File.Width, photo.File.Height);
        if (side < resolution)
            remarks.Add($"too small: {side} of {resolution} pixels");
        if (photo.Sharpness < BlurredPart * median)
            remarks.Add(
                string.Create(CultureInfo.InvariantCulture, $"blurred: sharpness {photo.Sharpness:0}, the folder's median is {median:0}"));
        if (alike.FirstOrDefault(pair => pair.Second.File.Path == photo.File.Path) is { } pair)
            remarks.Add($"looks like {pair.First.Name} ({pair.Distance} of 64 bits differ)");
        if (photo.Kept < 0.5)
            remarks.Add(string.Create(CultureInfo.InvariantCulture, $"the crop keeps {photo.Kept:P0} of it"));
        return remarks;
    }
}
