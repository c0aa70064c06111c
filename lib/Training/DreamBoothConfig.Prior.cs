using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>Preservation by the model as it was, without class pictures.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>What prior preservation learns from, default class_pictures. Flag <c>--prior_from</c>.</summary>
    [Flag(
        PriorGroup,
        "What prior preservation learns from: class_pictures; or teacher, the model without the LoRA, whose prediction for class_prompt on "
        + "the instance pictures is kept, and no class pictures are made.")]
    public PriorSource PriorFrom { get; init; }

    /// <summary>
    /// Keep what the model without the LoRA predicts for an empty prompt on the instance pictures, with
    /// <see cref="PriorLossWeight"/>, default false. Flag <c>--blank_prompt_preservation</c>.
    /// </summary>
    [Flag(
        PriorGroup,
        "Keep what the model without the LoRA predicts for an empty prompt on the instance pictures, with prior_loss_weight; by itself or "
        + "beside with_prior_preservation.")]
    public bool BlankPromptPreservation { get; init; }

    /// <summary>Whether class pictures are needed.</summary>
    internal bool UsesClassPictures => WithPriorPreservation && PriorFrom == PriorSource.ClassPictures;

    /// <summary>The prompts for which the model without the LoRA is the teacher; none where there is no teacher.</summary>
    internal IReadOnlyList<string> PreservedPrompts =>
    [
        .. WithPriorPreservation && PriorFrom == PriorSource.Teacher ? [ClassPrompt ?? string.Empty] : Array.Empty<string>(),
        .. BlankPromptPreservation ? [string.Empty] : Array.Empty<string>(),
    ];

    /// <summary>Whether there is a loss beside that of the instance pictures.</summary>
    internal bool HasPriorLoss => WithPriorPreservation || BlankPromptPreservation || MaskedPriorWeight > 0;

    private IEnumerable<string> PriorErrors()
    {
        if (Subjects is not null)
        {
            if (WithPriorPreservation && !UsesClassPictures)
                yield return "prior_from teacher does not go with subjects, whose classes differ; blank_prompt_preservation does.";
            yield break;
        }

        if (UsesClassPictures && string.IsNullOrWhiteSpace(ClassDataDir))
        {
            yield return "with_prior_preservation needs class_data_dir: the folder of the class pictures (made when missing). "
                + "prior_from teacher needs none.";
        }

        if (WithPriorPreservation && string.IsNullOrWhiteSpace(ClassPrompt))
        {
            yield return $"with_prior_preservation needs class_prompt: what {(UsesClassPictures ? "the class pictures show" : "is kept")}.";
        }
    }

    private IEnumerable<string> PriorNotices()
    {
        if (!WithPriorPreservation && (ClassDataDir is not null || (ClassPrompt is not null && WatchSteps is null)))
            yield return "class_data_dir and class_prompt have no effect without with_prior_preservation.";
        IEnumerable<string>[] unused =
        [
            WithoutEffect(WithPriorPreservation, "with_prior_preservation", nameof(PriorFrom)),
            WithoutEffect(
                WithPriorPreservation || BlankPromptPreservation, "with_prior_preservation or blank_prompt_preservation",
                nameof(PriorLossWeight)),
            WithoutEffect(UsesClassPictures, "class pictures", nameof(NumClassImages)),
        ];
        foreach (var notice in unused.SelectMany(notices => notices))
            yield return notice;
        if (WithPriorPreservation && !UsesClassPictures && ClassDataDir is not null)
            yield return "class_data_dir has no effect with prior_from teacher: no class pictures are used.";
    }
}
