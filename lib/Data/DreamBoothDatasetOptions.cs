using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>Where the pictures and prompts of a DreamBooth run come from and how pictures become training squares.</summary>
public sealed record DreamBoothDatasetOptions
{
    internal const string DefaultImageColumn = "image";

    /// <summary>The folder of instance pictures (<c>--instance_data_dir</c>).</summary>
    public required string InstanceDataDir { get; init; }

    /// <summary>The prompt of instance pictures without a caption of their own (<c>--instance_prompt</c>).</summary>
    public required string InstancePrompt { get; init; }

    /// <summary>Pixels of the training square's sides, at least 16 (<c>--resolution</c>). Default 512.</summary>
    public int Resolution { get; init; } = 512;

    /// <summary>Crop at the centre instead of at a random place (<c>--center_crop</c>). Default false.</summary>
    public bool CenterCrop { get; init; }

    /// <summary>
    /// Mirror instance pictures left to right, each in half of the epochs on average (<c>--random_flip</c>). Default false.
    /// </summary>
    public bool RandomFlip { get; init; }

    /// <summary>How often each instance picture counts in an epoch, at least 1 (<c>--repeats</c>). Default 1.</summary>
    public int Repeats { get; init; } = 1;

    /// <summary>
    /// The key of <c>metadata.jsonl</c> that names a picture, beside "file_name" (<c>--image_column</c>). Default "image".
    /// </summary>
    public string ImageColumn { get; init; } = DefaultImageColumn;

    /// <summary>
    /// The key of <c>metadata.jsonl</c> that holds a picture's caption (<c>--caption_column</c>); null takes "text", "caption" or "prompt".
    /// </summary>
    public string? CaptionColumn { get; init; }

    /// <summary>The folder of class pictures (<c>--class_data_dir</c>); null without prior preservation.</summary>
    public string? ClassDataDir { get; init; }

    /// <summary>The prompt of class pictures (<c>--class_prompt</c>); required with <see cref="ClassDataDir"/>.</summary>
    public string? ClassPrompt { get; init; }

    /// <summary>How many of the class pictures are used at most, at least 1 (<c>--num_class_images</c>); null for all.</summary>
    public int? NumClassImages { get; init; }

    /// <summary>What to do with unusable files. Default: one error names them all.</summary>
    public BadImagePolicy OnBadImage { get; init; } = BadImagePolicy.Refuse;

    /// <summary>Pixels that the shorter side of a picture must have, at least 1; smaller ones are bad images. Default 32.</summary>
    public int MinImageSize { get; init; } = 32;

    /// <summary>What random crops and flips depend on. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>The subjects where there are several; empty for the one of the options above.</summary>
    internal IReadOnlyList<TrainingSubject> Subjects { get; init; } = [];

    /// <summary>
    /// The part of the uses of instance pictures whose prompt is empty, 0 to 1 (<c>--caption_dropout</c>). Default 0.
    /// </summary>
    internal double CaptionDropout { get; init; }

    /// <summary>
    /// Draw random crops and flips of instance pictures anew for each use (<c>--augment_each_epoch</c>). Default false.
    /// </summary>
    internal bool AugmentEachEpoch { get; init; }

    /// <summary>What transparent pixels are laid over: a name or #RRGGBB (<c>--alpha_color</c>). Default white.</summary>
    public string AlphaColor { get; init; } = "white";

    /// <summary>The subjects, at least one.</summary>
    internal IReadOnlyList<TrainingSubject> ListSubjects() => Subjects.Count > 0 ? Subjects :
    [
        new()
        {
            InstanceDataDir = InstanceDataDir,
            InstancePrompt = InstancePrompt,
            Repeats = Repeats,
            ImageColumn = ImageColumn,
            CaptionColumn = CaptionColumn,
            ClassDataDir = ClassDataDir,
            ClassPrompt = ClassPrompt,
            NumClassImages = NumClassImages,
        },
    ];

    /// <summary>The sets of class pictures, and which one each subject has.</summary>
    internal (IReadOnlyList<ClassSet> Sets, IReadOnlyList<int> SetOf) ClassSets() => ClassSet.Of(ListSubjects());

    /// <summary>The same without class pictures.</summary>
    internal DreamBoothDatasetOptions WithoutClasses() => this with
    {
        ClassDataDir = null,
        Subjects = [.. Subjects.Select(subject => subject with { ClassDataDir = null })],
    };

    /// <summary>
    /// Crop each picture to the one of several sizes whose shape is the nearest to its own, see <see cref="Data.AspectBuckets"/>, instead
    /// of to a square (<c>--aspect_buckets</c>). Default false.
    /// </summary>
    internal bool AspectBuckets { get; init; }

    /// <summary>The sides of these sizes are multiples of this many pixels (<c>--bucket_step</c>). Default 64.</summary>
    internal int BucketStep { get; init; } = 64;

    /// <summary>Further resolutions at which each instance picture is seen in an epoch (<c>--more_resolutions</c>). Default none.</summary>
    internal IReadOnlyList<int> MoreResolutions { get; init; } = [];

    /// <summary>Where the masks of instance pictures are (<c>--mask</c>). Default none.</summary>
    internal MaskSource Mask { get; init; }

    /// <summary>The folder of masks (<c>--mask_data_dir</c>); with <see cref="MaskSource.Folder"/>.</summary>
    internal string? MaskDataDir { get; init; }

    /// <summary>Every resolution, in pixels.</summary>
    internal IReadOnlyList<int> Resolutions => [.. MoreResolutions.Prepend(Resolution).Distinct()];

    /// <summary>Checks every option.</summary>
    /// <exception cref="LabException">Something is missing or out of range; one message lists all of it.</exception>
    public void Validate()
    {
        List<string> errors = [];
        if (Subjects.Count == 0 && string.IsNullOrWhiteSpace(InstanceDataDir))
            errors.Add("InstanceDataDir is empty; it must name the folder of instance pictures");
        if (Subjects.Count == 0 && string.IsNullOrWhiteSpace(InstancePrompt))
            errors.Add("InstancePrompt is empty; it must name the instance, as \"a photo of sks cat\"");
        errors.AddRange(PromptText.Complaints(("InstancePrompt", InstancePrompt), ("ClassPrompt", ClassPrompt)));
        if (Resolution < 16)
            errors.Add($"Resolution is {Resolution}; it must be at least 16 pixels");
        if (MoreResolutions.Any(side => side < 16))
            errors.Add($"MoreResolutions are {string.Join(", ", MoreResolutions)}; each must be at least 16 pixels");
        if (AspectBuckets && (BucketStep < 1 || Resolutions.Any(side => side % BucketStep != 0)))
            errors.Add($"BucketStep is {BucketStep}; it must divide every resolution ({string.Join(", ", Resolutions)})");
        if (Mask == MaskSource.Folder && string.IsNullOrWhiteSpace(MaskDataDir))
            errors.Add("Mask is Folder without MaskDataDir; it must name the folder of masks");
        if (Repeats < 1)
            errors.Add($"Repeats is {Repeats}; it must be at least 1");
        if (MinImageSize < 1)
            errors.Add($"MinImageSize is {MinImageSize}; it must be at least 1 pixel");
        if (NumClassImages < 1)
            errors.Add($"NumClassImages is {NumClassImages}; it must be at least 1");
        if (ClassDataDir is not null && string.IsNullOrWhiteSpace(ClassPrompt))
            errors.Add("ClassDataDir is given without ClassPrompt; prior preservation needs both");
        if (Subjects.Any(subject => subject.ClassDataDir is null) && Subjects.Any(subject => subject.ClassDataDir is not null))
            errors.Add("ClassDataDir is given for some of the Subjects; prior preservation needs it for all");
        if (AlphaColour.Parse(AlphaColor) is null)
            errors.Add($"AlphaColor is '{AlphaColor}'; it must be white, gray, black, or a colour as #RRGGBB");
        if (CaptionDropout is not (>= 0 and <= 1))
            errors.Add($"CaptionDropout is {CaptionDropout}; it must be 0 to 1");
        if (errors.Count > 0)
            throw new LabException($"The training data cannot be used as asked: {string.Join("; ", errors)}.");
    }
}
