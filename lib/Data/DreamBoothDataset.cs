using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Instance pictures with their prompts and, for prior preservation, class pictures, as the reference's DreamBoothDataset
/// (diffusers, examples/dreambooth/train_dreambooth_lora_sd3.py): EXIF transpose, RGB, short side resized to the resolution, flip, crop,
/// [−1, 1]. Item i pairs instance i mod (instances × repeats) with class picture i mod (class pictures). Files are sorted by name, where
/// the reference takes the folder's own order.
/// </summary>
/// <remarks>
/// Random crops are drawn once per item (a repeated picture has one per repeat), so that encoded pictures can be cached; flips are drawn
/// again each epoch, where the reference draws them once. Both depend on the seed alone.
/// </remarks>
public sealed class DreamBoothDataset
{
    // One entry a picture: item i is picture i / repeats.
    private readonly PictureFile[] _instances;
    private readonly string[] _captions;
    private readonly PictureFile[] _classes;
    private readonly ResizedPictures _resized;
    private readonly Lazy<IReadOnlyList<PictureView>> _views;

    private DreamBoothDataset(DreamBoothDatasetOptions options, CaptionFiles captionFiles, PictureFolder instances, PictureFolder? classes)
    {
        (Options, CaptionFiles, Instances, Classes) = (options, captionFiles, instances, classes);
        _instances = [.. instances.Pictures];
        _captions = [.. _instances.Select(picture => captionFiles.Of(picture.Path).Text ?? options.InstancePrompt)];
        _classes = [.. (classes?.Pictures ?? []).Take(options.NumClassImages ?? int.MaxValue)];
        _resized = new ResizedPictures(options.Resolution);
        _views = new(ListViews);
        InstanceCount = CheckedCount(_instances.Length, options.Repeats);
    }

    /// <summary>What the dataset was made from.</summary>
    public DreamBoothDatasetOptions Options { get; }

    /// <summary>Instance items: pictures times repeats.</summary>
    public int InstanceCount { get; }

    /// <summary>Class pictures; 0 without prior preservation.</summary>
    public int ClassCount => _classes.Length;

    /// <summary>The instance pictures' folder as it was read.</summary>
    internal PictureFolder Instances { get; }

    /// <summary>The class pictures' folder as it was read; null without prior preservation.</summary>
    internal PictureFolder? Classes { get; }

    /// <summary>The instance pictures' own prompts.</summary>
    internal CaptionFiles CaptionFiles { get; }

    /// <summary>Items in an epoch: the larger of both counts.</summary>
    public int Count => Math.Max(InstanceCount, ClassCount);

    /// <summary>Every prompt that a row can have, each once: the instance pictures' in their order, then the class prompt.</summary>
    public IReadOnlyList<string> DistinctPrompts =>
        [.. (ClassCount > 0 ? _captions.Append(Options.ClassPrompt!) : _captions).Distinct(StringComparer.Ordinal)];

    /// <summary>Every view that a row can have in any epoch, each once; with random flips both ways of every instance picture.</summary>
    public IReadOnlyList<PictureView> DistinctViews => _views.Value;

    /// <summary>Reads the folders; every picture is checked, none is kept in memory yet.</summary>
    /// <param name="options">Where and how.</param>
    /// <exception cref="LabException">
    /// An option is out of range, a folder is missing or has no usable picture, captions are malformed, or a file is bad and refused.
    /// </exception>
    public static DreamBoothDataset Load(DreamBoothDatasetOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var captions = Data.CaptionFiles.Read(options.InstanceDataDir, options.ImageColumn, options.CaptionColumn);
        var instances = ReadFolder(options.InstanceDataDir, "instance", options, captions.Listed);
        return new DreamBoothDataset(options with { ClassDataDir = null }, captions, instances, null).Complete(options);
    }

    /// <summary>The same instance pictures, read before class pictures were made, with all options, class pictures among them.</summary>
    /// <param name="options">The options that it was loaded with, but for class pictures and seed.</param>
    /// <exception cref="LabException">The folder of class pictures is missing or has no usable picture.</exception>
    internal DreamBoothDataset Complete(DreamBoothDatasetOptions options) =>
        new(options, CaptionFiles, Instances, options.ClassDataDir is { } folder ? ReadFolder(folder, "class", options, []) : null);

    /// <summary>What the rows of a batch are: the instance rows of the items, then their class rows if there are class pictures.</summary>
    /// <param name="items">Item numbers, 0 … <see cref="Count"/> − 1, as a <see cref="BatchSampler"/> gives them.</param>
    /// <param name="epoch">From 0; random flips depend on it.</param>
    public IReadOnlyList<DreamBoothRow> Rows(IReadOnlyList<int> items, int epoch)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Any(item => item < 0 || item >= Count))
            throw new ArgumentOutOfRangeException(nameof(items), $"Items are 0 … {Count - 1}.");
        var instances = items.Select(item => InstanceRow(item, epoch));
        return [.. ClassCount == 0 ? instances : instances.Concat(items.Select(ClassRow))];
    }

    /// <summary>The training square of a view, Resolution × Resolution pixels.</summary>
    /// <param name="view">A view of this dataset.</param>
    /// <exception cref="LabException">The picture cannot be read any more.</exception>
    public RgbImage LoadPicture(PictureView view)
    {
        var image = _resized.Get(view.Path);
        return ImageTransforms.Crop(view.Flip ? ImageTransforms.FlipHorizontally(image) : image, view.Crop);
    }

    private static PictureFolder ReadFolder(string path, string role, DreamBoothDatasetOptions options, IReadOnlyCollection<string> listed)
    {
        var folder = PictureFolder.Read(path, options.OnBadImage, options.MinImageSize, listed);
        if (folder.Pictures.Count > 0)
            return folder;
        var inside = folder.NotEntered.Count == 0
            ? string.Empty
            : $" Pictures in subfolders are not read: {ShownText.Names(folder.NotEntered)}.";
        var endings = string.Join(", ", PictureFolder.Extensions);
        throw new LabException($"The {role} folder {path} holds no usable picture ({endings}).{inside}{PictureFolder.List(folder.Bad)}");
    }

    private DreamBoothRow InstanceRow(int item, int epoch)
    {
        item %= InstanceCount;
        var draws = new SeededIntegers(Options.Seed, SeededIntegers.Purpose.Flip, epoch, item);
        var (picture, caption) = (_instances[item / Options.Repeats], _captions[item / Options.Repeats]);
        return new DreamBoothRow(
            InstanceView(item, Options.RandomFlip && draws.Below(2) == 1), caption, false, picture.Width, picture.Height);
    }

    private DreamBoothRow ClassRow(int item)
    {
        item %= ClassCount;
        var picture = _classes[item];
        return new DreamBoothRow(ClassView(item), Options.ClassPrompt!, true, picture.Width, picture.Height);
    }

    private PictureView InstanceView(int item, bool flip)
    {
        var picture = _instances[item / Options.Repeats];
        return new PictureView(picture.Path, flip, Crop(picture, SeededIntegers.Purpose.Crop, item));
    }

    private PictureView ClassView(int item) =>
        new(_classes[item].Path, Flip: false, Crop(_classes[item], SeededIntegers.Purpose.ClassCrop, item));

    private CropBox Crop(PictureFile picture, SeededIntegers.Purpose purpose, int item)
    {
        var size = Options.Resolution;
        var (width, height) = ImageResizer.ShortSideTo(picture.Width, picture.Height, size);
        var draws = new SeededIntegers(Options.Seed, purpose, item);
        return Options.CenterCrop
            ? CropBox.Center(width, height, size, size)
            : CropBox.Random(width, height, size, size, count => draws.Below(count));
    }

    private List<PictureView> ListViews()
    {
        List<PictureView> views = [];
        for (var i = 0; i < _instances.Length; i++)
            views.AddRange(Crops(i).Select(crop => new PictureView(_instances[i].Path, Flip: false, crop)));
        if (Options.RandomFlip)
            views.AddRange([.. views.Select(view => view with { Flip = true })]);
        views.AddRange(Enumerable.Range(0, ClassCount).Select(ClassView));
        // A class picture may also be an instance picture.
        return [.. views.Distinct()];
    }

    // All repeats of a picture that can only be cropped one way share one view.
    private IEnumerable<CropBox> Crops(int picture)
    {
        var file = _instances[picture];
        var repeats = Options.CenterCrop || file.Width == file.Height ? 1 : Options.Repeats;
        var items = Enumerable.Range(picture * Options.Repeats, repeats);
        return items.Select(item => Crop(file, SeededIntegers.Purpose.Crop, item)).Distinct();
    }

    private static int CheckedCount(int pictures, int repeats) => (long)pictures * repeats <= Array.MaxLength
        ? pictures * repeats
        : throw new UsageException(
            $"repeats is {repeats}, of {pictures} pictures: that is more than the {Array.MaxLength} items an epoch can have. "
            + $"Give at most {Array.MaxLength / pictures}.");
}
