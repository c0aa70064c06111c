using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>Flags of the reference script around the training: the hub, the precision of class pictures and of matrix products.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>
    /// The folder that models from the hub are kept in; null (the default): that of HF_HUB_CACHE. Flag <c>--cache_dir</c>.
    /// </summary>
    [Flag(ModelGroup, "Folder that models from the hub are kept in.", Placeholder = "FOLDER", DefaultText = "HF_HUB_CACHE")]
    public string? CacheDir { get; init; }

    /// <summary>
    /// The precision that class pictures are generated in: no (as the training), fp32, fp16 or bf16; null (the default): as the training.
    /// Flag <c>--prior_generation_precision</c>.
    /// </summary>
    [Flag(
        PriorGroup, "Precision that class pictures are generated in; another than the training's loads the model once more.",
        Choices = ["no", "fp32", "fp16", "bf16"], DefaultText = "as the training")]
    public string? PriorGenerationPrecision { get; init; }

    /// <summary>
    /// Let matrix products of 32-bit floats round their factors to 10 bits (TF32) on NVIDIA GPUs, default false. Flag <c>--allow_tf32</c>.
    /// </summary>
    [Flag(MachineGroup, "Let matrix products of 32-bit floats round their factors to 10 bits (TF32), which is faster; CUDA only.")]
    public bool AllowTf32 { get; init; }

    /// <summary>
    /// The process's number on its machine, -1 (the default) for none; the launcher's environment counts. Flag <c>--local_rank</c>.
    /// </summary>
    [Flag(MachineGroup, "The process's number on its machine, as old launchers give it; the environment counts.", Minimum = -1)]
    public int LocalRank { get; init; } = -1;

    /// <summary>Upload the LoRA with its card to the hub when it is done, default false. Flag <c>--push_to_hub</c>.</summary>
    [Flag(OutputGroup, "Upload the LoRA with its card to the hub when it is done, as hub upload does; needs hub login.")]
    public bool PushToHub { get; init; }

    /// <summary>
    /// The repository of <see cref="PushToHub"/>, owner/name, or a name under the user's own; null (the default): the name of the output
    /// folder. Flag <c>--hub_model_id</c>.
    /// </summary>
    [Flag(OutputGroup, "Repository of push_to_hub: owner/name, or a name.", Placeholder = "NAME", DefaultText = "output_dir's name")]
    public string? HubModelId { get; init; }

    /// <summary>The hub as this training uses it.</summary>
    internal HubOptions HubOptions() => CacheDir is null
        ? Hub.HubOptions.FromEnvironment()
        : Hub.HubOptions.FromEnvironment() with { CacheFolder = Path.GetFullPath(CacheDir) };

    /// <summary>The element type that class pictures are generated in.</summary>
    internal ScalarType PriorDtype() => PriorGenerationPrecision switch
    {
        "fp32" => ScalarType.Float32,
        "fp16" => ScalarType.Float16,
        "bf16" => ScalarType.BFloat16,
        _ => ComputeDtype(),
    };

    private IEnumerable<string> ReferenceErrors()
    {
        if (CacheDir is not null && string.IsNullOrWhiteSpace(CacheDir))
            yield return "cache_dir is empty; it must name a folder.";
        if (HubModelId is { } name && !RepoId.TryParse(name.Contains('/', StringComparison.Ordinal) ? name : $"me/{name}", out _))
        {
            yield return $"hub_model_id is '{ShownText.Line(name, 40)}'; valid is owner/name, or a name: letters, digits, '-', '_' and "
                + "'.'.";
        }
    }

    private IEnumerable<string> ReferenceNotices() =>
    [
        .. WithoutEffect(PushToHub, "push_to_hub", nameof(HubModelId)),
        .. WithoutEffect(
            UsesClassPictures, "class pictures", nameof(PriorGenerationPrecision), nameof(PriorGenerationSteps),
            nameof(PriorGenerationGuidance)),
    ];
}
