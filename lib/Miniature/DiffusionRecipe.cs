namespace Dreambooth.Lab.Miniature;

/// <summary>How the miniature's text encoders and transformer are trained together.</summary>
internal sealed record DiffusionRecipe
{
    /// <summary>Pictures in a step. Default 256.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>The largest learning rate of AdamW. Default 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>The learning rate at the end, as a part of the largest. Default 0.02.</summary>
    public double FinalRate { get; init; } = 0.02;

    /// <summary>Steps over which the rate rises, also after a resumption. Default 300.</summary>
    public int WarmupSteps { get; init; } = 300;

    /// <summary>Whether matrices inside blocks take Muon's steps instead of AdamW's. Default true.</summary>
    public bool OrthogonalSteps { get; init; } = true;

    /// <summary>Decay of the mean gradient. Default 0.95.</summary>
    public double Beta1 { get; init; } = 0.95;

    /// <summary>Decay of AdamW's mean square. Default 0.99.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Longest gradient. Default 1.</summary>
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>Decay of the averaged weights. Default 0.9995.</summary>
    public double EmaDecay { get; init; } = 0.9995;

    /// <summary>Part of the rows whose caption is empty, for guidance. Default 0.11.</summary>
    public double CaptionDropout { get; init; } = 0.11;

    /// <summary>Part of the rows without T5's tokens, so that the model also works without T5. Default 0.05.</summary>
    public double T5Dropout { get; init; } = 0.05;

    /// <summary>Captions of each picture in other words. Default 4.</summary>
    public int CaptionsPerPicture { get; init; } = 4;

    /// <summary>
    /// Part of the patterns, and of what is worn, that captions omit; brief captions omit all. Default 0: where a caption names neither,
    /// there is neither. The omitted ones would be painted where nobody asks for them.
    /// </summary>
    public double MarksUnsaid { get; init; }

    /// <summary>
    /// Whether subjects have patterns in every art and captions name them. Default true: a model that has seen plain coats only in some art
    /// paints every coat plain there, also that of a subject which it learns later.
    /// </summary>
    public bool PatternsInArt { get; init; } = true;

    /// <summary>Part of the captions with a rare word before the subject's noun, which says nothing. Default 0.03.</summary>
    public double RareWordShare { get; init; } = 0.03;

    /// <summary>Mean of the timestep density's logit. Default 0.</summary>
    public double LogitMean { get; init; }

    /// <summary>Standard deviation of the timestep density's logit. Default 1.</summary>
    public double LogitStd { get; init; } = 1;

    /// <summary>Held-out pictures on which losses are measured. Default 1024.</summary>
    public int HeldOut { get; init; } = 1024;

    /// <summary>Pictures that are encoded at once. Default 256.</summary>
    public int EncodeBatch { get; init; } = 256;

    /// <summary>Pictures of a sample sheet. Default 64.</summary>
    public int PicturesInSheet { get; init; } = 64;

    /// <summary>Denoising steps of a sample sheet's pictures. Default 28.</summary>
    public int SheetSteps { get; init; } = 28;

    /// <summary>Guidance of a sample sheet's pictures. Default 4.</summary>
    public double SheetGuidance { get; init; } = 4;
}
