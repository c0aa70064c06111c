using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Instance pictures with their prompts and, for prior preservation, class pictures, as the reference's DreamBoothDataset
/// (diffusers, examples/dreambooth/train_dreambooth_lora_sd3.py): EXIF transpose, RGB, short side resized to the resolution, flip, crop,
/// [−1, 1]; with aspect-ratio buckets resized and cropped to the nearest of several sizes. Item i pairs instance i mod
/// (instances × repeats) with class picture i mod (class pictures). Files are sorted by name, where the reference takes the folder's own
/// order. The pictures of several subjects are one set; each goes with class pictures of its own
/// class, see <see cref="SubjectItems"/>.
/// </summary>
/// <remarks>
/// Random crops are drawn once per item (a repeated picture has one per repeat), so that encoded pictures can be cached; flips are drawn
/// again each epoch, where the reference draws them once. With <see cref="DreamBoothDatasetOptions.AugmentEachEpoch"/> both are drawn for
/// each use. All depend on the seed alone.
/// </remarks>
public sealed class DreamBoothDataset
{
    private readonly InstancePicture[] _instances;
    private readonly int[] _firstPictures;
    private readonly (PictureFile File, string Prompt)[] _classes;
    private readonly int[] _firstClasses;
    private readonly SubjectItems _items;
    private readonly ResizedPictures _resized;

    // The sizes there are, by resolution.
    private readonly IReadOnlyList<PictureSize>[] _sizes;
    private readonly Lazy<IReadOnlyList<PictureView>> _views;

    private DreamBoothDataset(
        DreamBoothDatasetOptions options, IReadOnlyList<SubjectPictures> subjects,
        IReadOnlyList<(ClassSet Set, PictureFolder Folder)> classes)
    {
        (Options, Subjects, Classes) = (options, subjects, classes);
        _sizes = [.. options.Resolutions.Select(side => options.AspectBuckets
            ? AspectBuckets.Of(side, options.BucketStep) : (IReadOnlyList<PictureSize>)[new PictureSize(side, side)])];
        int[] counts = [.. subjects.Select(CheckedCount)];
        var pictures = classes.Select(one => one.Folder.Pictures.Take(one.Set.Most ?? int.MaxValue).ToArray()).ToArray();
        _items = new SubjectItems(counts, classes.Count == 0 ? [] : options.ClassSets().SetOf, [.. pictures.Select(set => set.Length)]);
        (_instances, _firstPictures) = ([.. InstancePictures()], Starts(subjects.Select(subject => subject.Folder.Pictures.Count)));
        _firstClasses = Starts(pictures.Select(set => set.Length));
        _classes = [.. pictures.SelectMany((set, index) => set.Select(file => (file, classes[index].Set.Prompt)))];
        var over = AlphaColour.Parse(options.AlphaColor)!.Value;
        _resized = new ResizedPictures((path, size) => ImageDecoder.LoadResized(path, (_, _) => (size.Width, size.Height), over));
        _views = new(ListViews);
    }

    /// <summary>What the dataset was made from.</summary>
    public DreamBoothDatasetOptions Options { get; }

    /// <summary>Instance items: pictures times repeats, over all subjects; at several resolutions as many at each.</summary>
    public int InstanceCount => _items.InstanceCount;

    /// <summary>Class pictures; 0 without prior preservation.</summary>
    public int ClassCount => _classes.Length;

    /// <summary>The subjects' pictures as they were read.</summary>
    internal IReadOnlyList<SubjectPictures> Subjects { get; }

    /// <summary>The class pictures' folders as they were read, each once; empty without prior preservation.</summary>
    internal IReadOnlyList<(ClassSet Set, PictureFolder Folder)> Classes { get; }

    /// <summary>Every picture file that is trained on, each once: the instance pictures in their order, then the class pictures.</summary>
    internal IEnumerable<string> Files =>
        _instances.Select(picture => picture.File).Concat(_classes.Select(picture => picture.File)).Select(file => file.Path)
            .Distinct(StringComparer.Ordinal);

    /// <summary>The masks of the instance pictures; null where all of each is learned.</summary>
    internal PictureMasks? Masks { get; private init; }

    /// <summary>Every size that a row can have, each once.</summary>
    internal IEnumerable<PictureSize> Sizes => _instances.SelectMany(picture => picture.Sizes).Distinct();

    /// <summary>Whether the loss of some subject's pictures is multiplied with another number than 1.</summary>
    internal bool HasWeights => Subjects.Any(subject => subject.Subject.LossWeight != 1);

    /// <summary>Items in an epoch: the larger of both counts.</summary>
    public int Count => _items.Count;

    /// <summary>
    /// Every prompt that a row can have, each once: the instance pictures' in their order, then the class prompts; with caption dropout the
    /// empty one too.
    /// </summary>
    public IReadOnlyList<string> DistinctPrompts =>
    [
        .. _instances.Select(picture => picture.Caption).Concat(_classes.Select(picture => picture.Prompt))
            .Concat(Options.CaptionDropout > 0 ? [string.Empty] : []).Distinct(StringComparer.Ordinal),
    ];

    /// <summary>
    /// Every view that can be encoded in advance, each once; with random flips both ways of every instance picture. Where instance pictures
    /// are drawn anew each time, theirs are not among them.
    /// </summary>
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
        SubjectPictures[] subjects = [.. options.ListSubjects().Select(subject => Read(subject, options))];
        var masks = PictureMasks.Read(options.Mask, options.MaskDataDir, [.. subjects.SelectMany(subject => subject.Folder.Pictures)]);
        return new DreamBoothDataset(options.WithoutClasses(), subjects, []) { Masks = masks }.Complete(options);
    }

    /// <summary>The same instance pictures, read before class pictures were made, with all options, class pictures among them.</summary>
    /// <param name="options">The options that it was loaded with, but for class pictures and seed.</param>
    /// <exception cref="LabException">The folder of class pictures is missing or has no usable picture.</exception>
    internal DreamBoothDataset Complete(DreamBoothDatasetOptions options) => new(
        options, Subjects, [.. options.ClassSets().Sets.Select(set => (set, ReadFolder(set.Folder, "class", options, [])))])
    { Masks = Masks };

    /// <summary>The items of an epoch once every folder of class pictures holds as many as are asked for.</summary>
    /// <param name="options">The same options with class pictures.</param>
    internal int CountWith(DreamBoothDatasetOptions options)
    {
        var (sets, setOf) = options.ClassSets();
        return new SubjectItems([.. Subjects.Select(CheckedCount)], setOf, [.. sets.Select(set => set.Most ?? 1)]).Count;
    }

    /// <summary>What the rows of a batch are: the instance rows of the items, then their class rows if there are class pictures.</summary>
    /// <param name="items">Item numbers, 0 … <see cref="Count"/> − 1, as a <see cref="BatchSampler"/> gives them.</param>
    /// <param name="epoch">From 0; random flips depend on it.</param>
    public IReadOnlyList<DreamBoothRow> Rows(IReadOnlyList<int> items, int epoch) => Rows(items, epoch, withCaptions: false);

    /// <summary>The same, where no caption is left out by chance.</summary>
    internal IReadOnlyList<DreamBoothRow> Rows(IReadOnlyList<int> items, int epoch, bool withCaptions)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Any(item => item < 0 || item >= Count))
            throw new ArgumentOutOfRangeException(nameof(items), $"Items are 0 … {Count - 1}.");
        var instances = items.Select(item => InstanceRow(item, epoch, withCaptions));
        return [.. ClassCount == 0 ? instances : instances.Concat(items.Select(ClassRow))];
    }

    /// <summary>The size of an item's rows, in pixels; the class row's is that of the instance row.</summary>
    /// <param name="item">The item's number, from 0.</param>
    internal PictureSize SizeOf(int item)
    {
        var place = item % InstanceCount;
        return PictureOf(place).Sizes[_items.SubjectOf(place).Own % _sizes.Length];
    }

    /// <summary>The batches of a number of items: each holds rows of one size.</summary>
    /// <param name="count">Items in an epoch: <see cref="Count"/>, or what it will be once there are class pictures.</param>
    /// <param name="batchSize">Items in a batch.</param>
    /// <param name="seed">Seed of the order.</param>
    internal BatchSampler Sampler(int count, int batchSize, ulong seed)
    {
        if (_sizes is [{ Count: 1 }])
            return new BatchSampler(count, batchSize, seed);
        var known = new Dictionary<PictureSize, int>();
        int GroupOf(PictureSize size) => known.TryGetValue(size, out var group) ? group : known[size] = known.Count;
        int[] own = [.. Enumerable.Range(0, InstanceCount).Select(item => GroupOf(SizeOf(item)))];
        return new BatchSampler(count, batchSize, seed, groups: [.. Enumerable.Range(0, count).Select(item => own[item % own.Length])]);
    }

    /// <summary>The part of a picture's area that its crop keeps as an instance picture, 0 to 1.</summary>
    /// <param name="picture">The picture.</param>
    internal double KeptOf(PictureFile picture)
    {
        var size = AspectBuckets.Nearest(_sizes[0], picture.Width, picture.Height);
        var whole = AspectBuckets.Cover(picture.Width, picture.Height, size);
        return (double)size.Width * size.Height / ((double)whole.Width * whole.Height);
    }

    /// <summary>What is trained on of a view: a square of Resolution × Resolution pixels, or the size of its bucket.</summary>
    /// <param name="view">A view of this dataset.</param>
    /// <exception cref="LabException">The picture cannot be read any more.</exception>
    public RgbImage LoadPicture(PictureView view)
    {
        var image = _resized.Get(view.Path, view.ResizedTo);
        return ImageTransforms.Crop(view.Flip ? ImageTransforms.FlipHorizontally(image) : image, view.Crop);
    }

    private static SubjectPictures Read(TrainingSubject subject, DreamBoothDatasetOptions options)
    {
        var captions = CaptionFiles.Read(subject.InstanceDataDir, subject.ImageColumn, subject.CaptionColumn);
        return new(subject, captions, ReadFolder(subject.InstanceDataDir, "instance", options, captions.Listed));
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

    private IEnumerable<InstancePicture> InstancePictures()
    {
        var next = 0;
        for (var i = 0; i < Subjects.Count; i++)
        {
            var (subject, captions, folder) = Subjects[i];
            foreach (var file in folder.Pictures)
            {
                PictureSize[] sizes = Array.ConvertAll(_sizes, some => AspectBuckets.Nearest(some, file.Width, file.Height));
                yield return new(file, captions.Of(file.Path).Text ?? subject.InstancePrompt, subject, next, sizes);
                next += subject.Repeats * _sizes.Length;
            }
        }
    }

    private DreamBoothRow InstanceRow(int item, int epoch, bool withCaptions)
    {
        var place = item % InstanceCount;
        var picture = PictureOf(place);
        var draws = new SeededIntegers(Options.Seed, SeededIntegers.Purpose.Caption, epoch, item);
        var drops = !withCaptions && Options.CaptionDropout > 0 && draws.Below(1 << 30) < Options.CaptionDropout * (1 << 30);
        return new DreamBoothRow(
            Options.AugmentEachEpoch ? DrawnView(picture.File, item, epoch) : InstanceView(picture.File, place, Flips(epoch, place)),
            drops ? string.Empty : picture.Caption, false, picture.File.Width, picture.File.Height)
        { LossWeight = picture.Subject.LossWeight };
    }

    private InstancePicture PictureOf(int place)
    {
        var (subject, own) = _items.SubjectOf(place);
        return _instances[_firstPictures[subject] + (own / (Subjects[subject].Subject.Repeats * _sizes.Length))];
    }

    private DreamBoothRow ClassRow(int item)
    {
        var (set, picture) = _items.ClassOf(item);
        var index = _firstClasses[set] + picture;
        var (file, prompt) = _classes[index];
        return new DreamBoothRow(ClassView(index, SizeOf(item)), prompt, true, file.Width, file.Height);
    }

    private bool Flips(int epoch, int item) =>
        Options.RandomFlip && new SeededIntegers(Options.Seed, SeededIntegers.Purpose.Flip, epoch, item).Below(2) == 1;

    private PictureView InstanceView(PictureFile file, int place, bool flip) =>
        View(file, flip, SizeOf(place), new(Options.Seed, SeededIntegers.Purpose.Crop, place));

    private PictureView DrawnView(PictureFile file, int item, int epoch) =>
        View(file, Flips(epoch, item), SizeOf(item), new(Options.Seed, SeededIntegers.Purpose.CropOfUse, epoch, item));

    private PictureView ClassView(int index, PictureSize size) =>
        View(_classes[index].File, flip: false, size, new(Options.Seed, SeededIntegers.Purpose.ClassCrop, index));

    private PictureView View(PictureFile picture, bool flip, PictureSize size, SeededIntegers draws)
    {
        var (width, height) = AspectBuckets.Cover(picture.Width, picture.Height, size);
        var crop = Options.CenterCrop
            ? CropBox.Center(width, height, size.Width, size.Height)
            : CropBox.Random(width, height, size.Width, size.Height, count => draws.Below(count));
        return new PictureView(picture.Path, flip, crop) { ResizedTo = new PictureSize(width, height) };
    }

    private List<PictureView> ListViews()
    {
        List<PictureView> views = [];
        foreach (var picture in Options.AugmentEachEpoch ? [] : _instances)
            views.AddRange(Views(picture));
        if (Options.RandomFlip)
            views.AddRange([.. views.Select(view => view with { Flip = true })]);
        // Of one size, a class picture is seen in one way; of several, in one for each size that it is paired with.
        views.AddRange(_sizes is [{ Count: 1 }]
            ? Enumerable.Range(0, ClassCount).Select(index => ClassView(index, _sizes[0][0]))
            : Enumerable.Range(0, ClassCount == 0 ? 0 : Count).Select(item => ClassRow(item).View));
        // A class picture may also be an instance picture.
        return [.. views.Distinct()];
    }

    // All repeats of a picture that can only be cropped one way share one view.
    private IEnumerable<PictureView> Views(InstancePicture picture)
    {
        var single = Options.CenterCrop || (picture.File.Width == picture.File.Height && !Options.AspectBuckets);
        var places = Enumerable.Range(picture.FirstItem, (single ? 1 : picture.Subject.Repeats) * _sizes.Length);
        return places.Select(place => InstanceView(picture.File, place, flip: false)).Distinct();
    }

    private static int[] Starts(IEnumerable<int> counts)
    {
        var next = 0;
        return [.. counts.Select(count => (next += count) - count)];
    }

    private int CheckedCount(SubjectPictures subject)
    {
        var (pictures, repeats) = (subject.Folder.Pictures.Count * (long)_sizes.Length, subject.Subject.Repeats);
        return pictures * repeats <= Array.MaxLength
            ? (int)(pictures * repeats)
            : throw new UsageException(
                $"repeats is {repeats}, of {pictures} pictures: that is more than the {Array.MaxLength} items an epoch can have. "
                + $"Give at most {Array.MaxLength / pictures}.");
    }

    // One entry a picture, with the first of its items.
    private sealed record InstancePicture(PictureFile File, string Caption, TrainingSubject Subject, int FirstItem, PictureSize[] Sizes);
}
