namespace Dreambooth.Lab.Miniature;

/// <summary>How the miniature's autoencoder is trained.</summary>
internal sealed record VaeRecipe
{
    /// <summary>Pictures in a step, in each process. Default 96.</summary>
    public int BatchSize { get; init; } = 96;

    /// <summary>The largest learning rate of AdamW. Default 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Steps over which the rate rises. Default 200.</summary>
    public int WarmupSteps { get; init; } = 200;

    /// <summary>Weight of the mean squared error beside the mean absolute one. Default 2.</summary>
    public double SquareWeight { get; init; } = 2;

    /// <summary>Weight of the mean absolute error of horizontal and vertical differences. Default 1.</summary>
    public double GradientWeight { get; init; } = 1;

    /// <summary>Weight of the divergence from a standard normal, per latent value. Default 1e-3.</summary>
    public double KlWeight { get; init; } = 1e-3;

    /// <summary>
    /// Weight of the absolute error of what latents of half the resolution decode to, beside painted pictures of half the size: latents
    /// that can be averaged like pictures are easier to learn (Kouzelis et al. 2025, arXiv:2502.09509). Default 0: not computed.
    /// </summary>
    public double HalfScaleWeight { get; init; }

    /// <summary>Weight of the relative error of a classifier's first maps, where one is given. Default 0.1.</summary>
    public double PerceptualWeight { get; init; } = 0.1;

    /// <summary>
    /// Largest standard deviation, in parts of the latents' own, of noise that the decoder is trained to overlook while the encoder stays:
    /// latents
    /// that the transformer makes are a little off. Default 0.15.
    /// </summary>
    public double DecoderNoise { get; init; } = 0.15;

    /// <summary>Longest gradient. Default 1.</summary>
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>Decay of the averaged weights. Default 0.999.</summary>
    public double EmaDecay { get; init; } = 0.999;

    /// <summary>Held-out pictures that are measured. Default 512.</summary>
    public int HeldOut { get; init; } = 512;

    /// <summary>Pictures that must be there before the first step. Default 8192.</summary>
    public int MinimumPictures { get; init; } = 8192;
}
