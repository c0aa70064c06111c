using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Finds the most similar of some pictures by the correlation of small copies, 16 × 16 pixels. A picture that was copied out of the
/// training set comes close to 1, mirrored or not; a picture of the same subject in another place does not.
/// </summary>
public sealed class NearestPictures
{
    private const int Side = 16;

    private readonly IReadOnlyList<string> _paths;
    private readonly double[][] _pictures;

    /// <summary>Reads the pictures.</summary>
    /// <param name="paths">At least one picture file.</param>
    /// <exception cref="LabException">There is none, or one cannot be read.</exception>
    public NearestPictures(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Count == 0)
            throw new LabException("There are no pictures to compare with.");
        _paths = paths;
        _pictures = [.. paths.Select(path => Reduce(ImageDecoder.LoadResized(path, (_, _) => (Side, Side))))];
    }

    /// <summary>Reads the pictures of a folder.</summary>
    /// <param name="folder">A folder with png, jpeg, webp or bmp files; subfolders are not read.</param>
    /// <exception cref="LabException">The folder is missing or has no picture, or one cannot be read.</exception>
    public static NearestPictures In(string folder)
    {
        if (!Directory.Exists(folder))
            throw new LabException($"There is no folder {folder} with pictures to compare with.");
        return new NearestPictures([.. Directory.GetFiles(folder).Where(PictureName.Is).Order(StringComparer.Ordinal)]);
    }

    /// <summary>
    /// The mean, over these pictures, of their likeness to the nearest other one: the similarity of pictures that are not copies of each
    /// other. Not a number with one picture.
    /// </summary>
    public double AmongThemselves => _pictures.Length < 2 ? double.NaN
        : _pictures.Average(picture => _pictures.Where(other => other != picture).Max(other => Likeness(picture, other)));

    /// <summary>The picture that resembles another one most.</summary>
    /// <param name="image">Any picture.</param>
    /// <returns>Its file, and the correlation: 1 for the same picture, 0 for no resemblance, below for its negative.</returns>
    public (string Path, double Likeness) Of(RgbImage image)
    {
        var (straight, mirrored) = (Reduce(image), Reduce(ImageTransforms.FlipHorizontally(image)));
        return _paths.Zip(_pictures, (path, picture) => (path, Math.Max(Likeness(straight, picture), Likeness(mirrored, picture))))
            .MaxBy(found => found.Item2);
    }

    // Of mean 0 and length 1; a plain surface becomes zeros.
    private static double[] Reduce(RgbImage image)
    {
        double[] values = [.. ImageResizer.Resize(image, Side, Side).Pixels.Select(value => (double)value)];
        var mean = values.Average();
        var length = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)));
        return [.. values.Select(value => length > 0 ? (value - mean) / length : 0)];
    }

    private static double Likeness(double[] first, double[] second) => first.Zip(second, (a, b) => a * b).Sum();
}
