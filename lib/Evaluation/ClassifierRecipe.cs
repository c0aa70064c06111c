namespace Dreambooth.Lab.Evaluation;

/// <summary>How the attribute classifier is trained.</summary>
internal sealed record ClassifierRecipe
{
    /// <summary>Channels of the first stage; the others are multiples. Default 32.</summary>
    public int Width { get; init; } = 32;

    /// <summary>Size of the feature vector. Default 128.</summary>
    public int Features { get; init; } = 128;

    /// <summary>Pictures in a step. Default 256.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>The largest learning rate of AdamW. Default 1.5e-3.</summary>
    public double LearningRate { get; init; } = 1.5e-3;

    /// <summary>Decoupled weight decay. Default 0.02.</summary>
    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Steps over which the rate rises. Default 200.</summary>
    public int WarmupSteps { get; init; } = 200;

    /// <summary>Longest gradient. Default 1.</summary>
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>Decay of the averaged weights. Default 0.998.</summary>
    public double EmaDecay { get; init; } = 0.998;

    /// <summary>Part of a batch that shows the character or a similar cat, half of it each. Default 0.25.</summary>
    public double IdentityShare { get; init; } = 0.25;

    /// <summary>Painted pictures of the character, and as many of similar cats, to train on. Default 16384.</summary>
    public int CharacterPictures { get; init; } = 16_384;

    /// <summary>Part of the pictures replaced by the autoencoder's blurred versions where one is given. Default 0.33.</summary>
    public double ReconstructedShare { get; init; } = 0.33;

    /// <summary>Largest standard deviation of noise on pixels (−1 … 1). Default 0.08.</summary>
    public double PixelNoise { get; init; } = 0.08;

    /// <summary>Held-out pictures that are measured. Default 4096.</summary>
    public int HeldOut { get; init; } = 4096;
}
