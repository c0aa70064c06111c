using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;

namespace Dreambooth.Lab.Training;

/// <content>How pictures are scored during the training.</content>
public sealed partial record DreamBoothConfig
{
    private const string EvaluationGroup = "Evaluation";

    /// <summary>
    /// Generate the validation pictures and score them every N optimizer steps, after the first and after the last; at least 1; null (the
    /// default): never. Flag <c>--evaluation_steps</c>.
    /// </summary>
    [Flag(
        EvaluationGroup, "Generate the validation pictures and score them every N optimizer steps, after the first and after the last.",
        Minimum = 1, DefaultText = "never")]
    public int? EvaluationSteps { get; init; }

    /// <summary>
    /// The DINO or DINOv2 that scores, a folder or a name on the hub; null (the default): the miniature's classifier, where it knows model
    /// and photos. Flag <c>--evaluation_dino</c>.
    /// </summary>
    [Flag(
        EvaluationGroup, "DINO or DINOv2, a folder or owner/name on the hub, which scores how well pictures show the subject.",
        Placeholder = "MODEL", DefaultText = "the miniature's classifier, where it knows model and photos")]
    public string? EvaluationDino { get; init; }

    /// <summary>
    /// The CLIP that scores, a folder or a name on the hub; goes with <see cref="EvaluationDino"/>. Flag <c>--evaluation_clip</c>.
    /// </summary>
    [Flag(
        EvaluationGroup,
        "CLIP, a folder or owner/name on the hub, which scores how well pictures show the subject and what the prompt says.",
        Placeholder = "MODEL", DefaultText = "none; goes with evaluation_dino")]
    public string? EvaluationClip { get; init; }

    /// <summary>How pictures are prepared for the encoders, default published. Flag <c>--evaluation_protocol</c>.</summary>
    [Flag(
        EvaluationGroup,
        "How pictures are prepared for the encoders: published (as the model's own preprocessor_config.json says) or paper (DINO with the "
        + "shorter side at 256 and the middle 224). Figures of the two cannot be compared.")]
    public ImageProtocol EvaluationProtocol { get; init; }

    private IEnumerable<string> EvaluationErrors()
    {
        if ((EvaluationDino is null) != (EvaluationClip is null))
        {
            var (given, missing) = EvaluationClip is null ? ("evaluation_dino", "evaluation_clip") : ("evaluation_clip", "evaluation_dino");
            yield return $"{given} needs {missing}: the two score together.";
        }

        if (EvaluationSteps is null)
            yield break;
        if (string.IsNullOrWhiteSpace(ValidationPrompt))
            yield return "evaluation_steps needs validation_prompt: what the scored pictures show.";
        else if (NumValidationImages == 0)
            yield return "evaluation_steps needs num_validation_images of at least 1: there are no pictures to score.";
    }
}
