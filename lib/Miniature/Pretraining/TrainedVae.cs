using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Autoencoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// The autoencoder that a run of <see cref="VaeTraining"/> left behind, with its averaged weights, or that of a model folder.
/// </summary>
internal sealed class TrainedVae : IDisposable
{
    private TrainedVae(AutoencoderKL model, FlatParameters weights, double shiftFactor, double scalingFactor) =>
        (Model, Weights, ShiftFactor, ScalingFactor) = (model, weights, shiftFactor, scalingFactor);

    /// <summary>The model; to be used without gradients.</summary>
    public AutoencoderKL Model { get; }

    public FlatParameters Weights { get; }

    /// <summary>Mean of the latents.</summary>
    public double ShiftFactor { get; }

    /// <summary>1 / their standard deviation.</summary>
    public double ScalingFactor { get; }

    /// <summary>Loads the weights into the miniature's autoencoder, which moves to the device.</summary>
    /// <param name="models">The miniature's models; they stay the caller's.</param>
    /// <param name="folder">The output folder of the autoencoder's training, or a model folder.</param>
    /// <param name="device">Where the model goes.</param>
    /// <exception cref="LabException">The folder lacks a file or a weight, or a weight has another shape.</exception>
    public static TrainedVae Load(MiniatureModels models, string folder, Device device)
    {
        ArgumentNullException.ThrowIfNull(models);
        var weights = new FlatParameters([("vae", models.Vae)], device, ScalarType.Float32);
        var config = Path.Combine(folder, "vae", "config.json");
        if (File.Exists(config))
        {
            weights.Begin(folder, whole: true);
            var shipped = AutoencoderKLConfig.Read(config);
            return new TrainedVae(models.Vae, weights, shipped.ShiftFactor ?? 0, shipped.ScalingFactor);
        }

        var result = JsonFile.Read<VaeResult>(Path.Combine(folder, VaeResult.FileName));
        weights.Load(folder, "vae");
        using var noGradients = no_grad();
        weights.Values.copy_(weights.Averages);
        return new TrainedVae(models.Vae, weights, result.ShiftFactor, result.ScalingFactor);
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => Weights.Dispose();
}
