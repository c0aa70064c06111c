using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Autoencoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>The autoencoder that a run of <see cref="VaeTraining"/> left behind, with its averaged weights.</summary>
internal sealed class TrainedVae : IDisposable
{
    private TrainedVae(AutoencoderKL model, FlatParameters weights, VaeResult result) =>
        (Model, Weights, Result) = (model, weights, result);

    /// <summary>The model; to be used without gradients.</summary>
    public AutoencoderKL Model { get; }

    public FlatParameters Weights { get; }

    /// <summary>What was measured.</summary>
    public VaeResult Result { get; }

    /// <summary>Loads the weights into the miniature's autoencoder, which moves to the device.</summary>
    /// <param name="models">The miniature's models; they stay the caller's.</param>
    /// <param name="folder">The output folder of the autoencoder's training.</param>
    /// <param name="device">Where the model goes.</param>
    /// <exception cref="LabException">The folder lacks a file.</exception>
    public static TrainedVae Load(MiniatureModels models, string folder, Device device)
    {
        ArgumentNullException.ThrowIfNull(models);
        var result = JsonFile.Read<VaeResult>(Path.Combine(folder, VaeResult.FileName));
        var weights = new FlatParameters([("vae", models.Vae)], device, ScalarType.Float32);
        weights.Load(folder, "vae");
        using var noGradients = no_grad();
        weights.Values.copy_(weights.Averages);
        return new TrainedVae(models.Vae, weights, result);
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => Weights.Dispose();
}
