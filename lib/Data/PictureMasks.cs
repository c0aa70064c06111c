using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Masks of instance pictures: how much each pixel counts in the loss, from 0 to 1. They come from the pictures' transparency, or from
/// pictures of the same names in another folder, whose red channel counts as in kohya's sd-scripts (48d368f, masked loss).
/// </summary>
internal sealed class PictureMasks
{
    private readonly Dictionary<string, string> _files;
    private readonly bool _isAlpha;
    private readonly ResizedPictures _resized;

    private PictureMasks(Dictionary<string, string> files, bool isAlpha)
    {
        (_files, _isAlpha) = (files, isAlpha);
        _resized = new ResizedPictures((picture, size) => ImageResizer.Resize(Load(picture), size.Width, size.Height));
    }

    /// <summary>Pitfalls, one sentence each.</summary>
    public IReadOnlyList<string> Remarks { get; private init; } = [];

    /// <summary>The files of masks that are not in the pictures themselves, in the pictures' order.</summary>
    public IEnumerable<string> Files => _isAlpha ? [] : _files.Values;

    /// <summary>Finds and checks the masks of pictures.</summary>
    /// <param name="source">Where they are.</param>
    /// <param name="folder">The folder of masks; for <see cref="MaskSource.Folder"/>.</param>
    /// <param name="pictures">The pictures.</param>
    /// <returns>Null where there are none.</returns>
    /// <exception cref="LabException">
    /// A mask is missing, broken, black all over or of another size than its picture, or no picture has a transparent pixel.
    /// </exception>
    public static PictureMasks? Read(MaskSource source, string? folder, IReadOnlyList<PictureFile> pictures)
    {
        if (source == MaskSource.None)
            return null;
        pictures = [.. pictures.DistinctBy(picture => picture.Path)];
        var isAlpha = source == MaskSource.Alpha;
        var files = pictures.ToDictionary(picture => picture.Path, picture => picture.Path, StringComparer.Ordinal);
        if (!isAlpha)
            files = Match(folder!, pictures);
        else if (!pictures.Any(picture => picture.IsTransparent))
        {
            throw new LabException(
                $"mask is alpha, and no picture of {Path.GetDirectoryName(pictures[0].Path)} has a transparent pixel. Cut the subject out, "
                + "or give masks in a folder (mask folder, mask_data_dir).");
        }

        var masks = new PictureMasks(files, isAlpha);
        var found = pictures.AsParallel().AsOrdered()
            .Select(picture => (Name: Path.GetFileName(picture.Path), State: masks.Examine(picture))).ToList();
        if (found.Where(mask => mask.State.Fault is not null).ToList() is { Count: > 0 } faults)
        {
            throw new LabException(
                $"{faults.Count} of {pictures.Count} masks cannot be used: "
                + string.Join("; ", faults.Take(10).Select(mask => $"{ShownText.Line(mask.Name)}: {mask.State.Fault}"))
                + (faults.Count > 10 ? $"; and {faults.Count - 10} more" : string.Empty) + ". White marks what is learned.");
        }

        string[] white = [.. found.Where(mask => mask.State.IsWhite).Select(mask => mask.Name)];
        return new PictureMasks(files, isAlpha)
        {
            Remarks = white.Length == 0 ? [] : [$"The masks of {white.Length} of {pictures.Count} pictures leave nothing out: "
                + $"{ShownText.Names(white)}."],
        };
    }

    /// <summary>Whether a picture has a mask: all instance pictures have.</summary>
    /// <param name="picture">Its file.</param>
    public bool Has(string picture) => _files.ContainsKey(picture);

    /// <summary>The mask of what is seen of a picture.</summary>
    /// <param name="view">The view.</param>
    /// <returns>A value for each pixel, row by row, 0 to 1.</returns>
    /// <exception cref="LabException">The file cannot be read any more.</exception>
    public float[] Of(PictureView view)
    {
        var image = _resized.Get(view.Path, view.ResizedTo);
        image = ImageTransforms.Crop(view.Flip ? ImageTransforms.FlipHorizontally(image) : image, view.Crop);
        var values = new float[image.Width * image.Height];
        for (var i = 0; i < values.Length; i++)
            values[i] = Level(image.Pixels[3 * i]) / 255f;
        return values;
    }

    private static Dictionary<string, string> Match(string folder, IReadOnlyList<PictureFile> pictures)
    {
        if (!Directory.Exists(folder))
            throw new LabException($"The folder of masks {folder} (mask_data_dir) does not exist.");
        var byStem = Directory.GetFiles(folder).Where(PictureName.Is).Order(StringComparer.Ordinal)
            .GroupBy(file => Path.GetFileNameWithoutExtension(file), StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        if (pictures.GroupBy(picture => Path.GetFileNameWithoutExtension(picture.Path), StringComparer.Ordinal)
            .FirstOrDefault(group => group.Count() > 1) is { } same)
        {
            throw new LabException(
                $"{string.Join(" and ", same.Take(2).Select(picture => picture.Path))} would have one mask, {same.Key} in {folder}. Give "
                + "pictures that have masks names of their own, or masks in their transparency (mask alpha).");
        }

        string[] missing = [.. pictures.Where(picture => !byStem.ContainsKey(Path.GetFileNameWithoutExtension(picture.Path)))
            .Select(picture => Path.GetFileName(picture.Path))];
        return missing.Length == 0
            ? pictures.ToDictionary(
                picture => picture.Path, picture => byStem[Path.GetFileNameWithoutExtension(picture.Path)], StringComparer.Ordinal)
            : throw new LabException(
                $"{missing.Length} of {pictures.Count} pictures have no mask in {folder}: {ShownText.Names(missing)}. A mask has the "
                + "picture's name before the ending and its size; white marks what is learned, black what is not.");
    }

    private (string? Fault, bool IsWhite) Examine(PictureFile picture)
    {
        try
        {
            var mask = Load(picture.Path);
            if ((mask.Width, mask.Height) != (picture.Width, picture.Height))
                return ($"the mask has {mask.Width}x{mask.Height} pixels, the picture {picture.Width}x{picture.Height}", false);
            int least = 255, most = 0;
            for (var i = 0; i < mask.Pixels.Length; i += 3)
            {
                var level = Level(mask.Pixels[i]);
                (least, most) = (Math.Min(least, level), Math.Max(most, level));
            }

            return (most == 0 ? "the mask is black all over: nothing of the picture would be learned" : null, least == 255);
        }
        catch (LabException error)
        {
            return (error.Message, false);
        }
    }

    private RgbImage Load(string picture) =>
        _isAlpha ? ImageDecoder.LoadTransparency(picture) : ImageDecoder.Load(_files[picture]);

    private int Level(byte value) => _isAlpha ? 255 - value : value;
}
