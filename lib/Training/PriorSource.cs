namespace Dreambooth.Lab.Training;

/// <summary>What prior preservation learns from: <c>--prior_from</c>.</summary>
public enum PriorSource
{
    /// <summary>Pictures of the class that the model generated before the training, the reference's way: <c>class_pictures</c>.</summary>
    ClassPictures,

    /// <summary>
    /// What the model without the LoRA predicts for the class prompt on the instance pictures; no class pictures are made:
    /// <c>teacher</c>.
    /// </summary>
    Teacher,
}
