namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>What a training of the autoencoder came to.</summary>
/// <param name="Psnr">Mean peak signal-to-noise ratio of held-out painted pictures, in dB.</param>
/// <param name="ShiftFactor">Mean of the latents.</param>
/// <param name="ScalingFactor">1 / their standard deviation.</param>
/// <param name="Steps">Steps of the run.</param>
/// <param name="Minutes">Its length.</param>
internal sealed record VaeResult(double Psnr, double ShiftFactor, double ScalingFactor, long Steps, double Minutes)
{
    /// <summary>Name of the file in the output folder.</summary>
    public const string FileName = "vae.json";
}
