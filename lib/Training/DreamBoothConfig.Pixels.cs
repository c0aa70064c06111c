using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>Sizes and masks of the training pictures, and encodings that are kept.</content>
public sealed partial record DreamBoothConfig
{
    private const string SizeGroup = "Sizes, masks and cached encodings";

    /// <summary>
    /// Crop each picture to the one of several sizes whose shape is the nearest to its own, of at most the area of a square of
    /// <see cref="Resolution"/>; false (the default): to that square. Flag <c>--aspect_buckets</c>.
    /// </summary>
    [Flag(
        SizeGroup,
        "Crop each picture to the size nearest to its shape (buckets), of at most the area of the square, instead of to the square.")]
    public bool AspectBuckets { get; init; }

    /// <summary>
    /// Sides of the buckets are multiples of this many pixels, a multiple of 16, default 64; with <see cref="AspectBuckets"/> every
    /// resolution is a multiple of it. Flag <c>--bucket_step</c>.
    /// </summary>
    [Flag(SizeGroup, "Sides of the buckets are multiples of this many pixels.", Minimum = 16, MultipleOf = 16, Maximum = 16_384)]
    public int BucketStep { get; init; } = 64;

    /// <summary>
    /// Further resolutions, separated by commas, each as <see cref="Resolution"/>: every picture counts once at each in an epoch; null (the
    /// default): none. Flag <c>--more_resolutions</c>.
    /// </summary>
    [Flag(
        SizeGroup, "Further resolutions, separated by commas: every picture is trained at each of them too.", Placeholder = "PIXELS",
        DefaultText = "none")]
    public string? MoreResolutions { get; init; }

    /// <summary>
    /// Which part of the instance pictures is learned: none (the default), all of it; alpha, what is opaque; folder, what is white in the
    /// mask of the same name in <see cref="MaskDataDir"/>. Flag <c>--mask</c>.
    /// </summary>
    [Flag(
        SizeGroup,
        "Which part of the instance pictures is learned: all (none), what is opaque in them (alpha), or what is white in a mask of the "
        + "picture's name (folder).")]
    public MaskSource Mask { get; init; } = MaskSource.None;

    /// <summary>The folder of masks, each of its picture's size. Needed with mask folder. Flag <c>--mask_data_dir</c>.</summary>
    [Flag(SizeGroup, "Folder of masks, each of its picture's name and size.", Placeholder = "FOLDER")]
    public string? MaskDataDir { get; init; }

    /// <summary>
    /// What the rest of a masked picture counts in the loss, 0 (the default, nothing) to 1 (as the subject). Flag
    /// <c>--mask_background</c>.
    /// </summary>
    [Flag(SizeGroup, "What the rest of a masked picture counts in the loss, from nothing to as much as the subject.", Minimum = 0,
        Maximum = 1)]
    public double MaskBackground { get; init; }

    /// <summary>
    /// Weight of a loss that holds what <see cref="Mask"/> leaves out of the instance pictures to what the model predicts for them without
    /// the LoRA, at least 0, default 0 (none). Flag <c>--masked_prior_weight</c>.
    /// </summary>
    [Flag(
        SizeGroup,
        "Weight of a loss that holds what a mask leaves out to what the model predicts for it without the LoRA; 0 for none.", Minimum = 0)]
    public double MaskedPriorWeight { get; init; }

    /// <summary>
    /// Keep latents and prompt embeddings on disk, for later runs and other ranks, default false (without it every run encodes its
    /// pictures and prompts once). Flag <c>--cache_latents</c>.
    /// </summary>
    [Flag(SizeGroup, "Keep latents and prompt embeddings on disk, for later runs and for the other ranks.")]
    public bool CacheLatents { get; init; }

    /// <summary>
    /// The folder that <see cref="CacheLatents"/> keeps them in; null (the default): <c>outputs/.cache</c>. Flag <c>--latents_cache</c>.
    /// </summary>
    [Flag(
        SizeGroup, "Folder that cache_latents keeps them in; may be deleted at any time between runs.", Placeholder = "FOLDER",
        DefaultText = EncodingFolder.Default)]
    public string? LatentsCache { get; init; }

    /// <summary>Every resolution of the training pictures in pixels, <see cref="Resolution"/> first.</summary>
    internal IReadOnlyList<int> Resolutions => [.. (MoreResolutionList ?? []).Prepend(Resolution).Distinct()];

    private IReadOnlyList<int>? MoreResolutionList => MoreResolutions is null ? [] : NumberList.Parse(MoreResolutions);

    private IEnumerable<string> SizeErrors()
    {
        if (Mask == MaskSource.Folder && string.IsNullOrWhiteSpace(MaskDataDir))
            yield return "mask is folder and needs mask_data_dir: the folder of the masks.";
        if (MaskedPriorWeight > 0 && Mask == MaskSource.None)
            yield return "masked_prior_weight needs mask: which part of the pictures is learned.";
        if (MaskedPriorWeight > 0 && MaskBackground > 0)
            yield return "masked_prior_weight does not go with mask_background: the one holds the rest of a picture, the other learns it.";
        if (MoreResolutionList is not { } more || more.Any(side => side is < 16 or > 16_384 || side % 16 != 0))
        {
            yield return $"more_resolutions is '{ShownText.Line(MoreResolutions!)}'; valid is a list of multiples of 16 from 16 to 16384, "
                + "such as 384,768.";
        }
        else if (AspectBuckets && BucketStep >= 16 && Resolutions.Where(side => side % BucketStep != 0).ToList() is { Count: > 0 } odd)
        {
            yield return $"bucket_step is {BucketStep}, and the resolution {odd[0]} is no multiple of it; with aspect_buckets it must be "
                + "one.";
        }
    }

    private IEnumerable<string> SizeNotices() =>
    [
        .. WithoutEffect(AspectBuckets, "aspect_buckets", nameof(BucketStep)),
        .. WithoutEffect(Mask == MaskSource.Folder, "mask folder", nameof(MaskDataDir)),
        .. WithoutEffect(Mask != MaskSource.None, "mask", nameof(MaskBackground)),
        .. WithoutEffect(CacheLatents, "cache_latents", nameof(LatentsCache)),
        .. PixelPairNotices(),
    ];

    private IEnumerable<string> PixelPairNotices()
    {
        if (Mask != MaskSource.None && MaskBackground == 1)
            yield return "mask has no effect with mask_background 1: the rest of a picture counts as much as what is marked.";
        if (CacheLatents && AugmentEachEpoch)
        {
            yield return "cache_latents keeps no instance pictures with augment_each_epoch, which draws them anew for each use; class "
                + "pictures and prompts are kept.";
        }
    }
}
