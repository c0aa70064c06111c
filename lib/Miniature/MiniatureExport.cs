using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature;

/// <summary>Writes trained weights as a model folder in the published layout, in bfloat16.</summary>
internal static class MiniatureExport
{
    /// <summary>Writes configs, tokenizers, averaged weights and the manifest.</summary>
    /// <param name="folder">The model folder; files of the same names are replaced.</param>
    /// <param name="models">The models, for sizes and tables that are not trained.</param>
    /// <param name="vae">The trained autoencoder.</param>
    /// <param name="diffusion">Weights of text encoders and transformer.</param>
    public static void Write(string folder, MiniatureModels models, TrainedVae vae, FlatParameters diffusion)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentNullException.ThrowIfNull(vae);
        ArgumentNullException.ThrowIfNull(diffusion);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var recipe = models.Recipe with
        {
            Vae = models.Recipe.Vae with { ShiftFactor = vae.ShiftFactor, ScalingFactor = vae.ScalingFactor },
        };
        MiniatureConfigs.Write(folder, recipe);
        models.Tokenizers.Write(folder);
        Save(folder, "vae", "diffusion_pytorch_model", vae.Weights.Of(vae.Weights.Averages, "vae"));
        foreach (var (prefix, _) in models.DiffusionParts)
        {
            var weights = diffusion.Of(diffusion.Averages, prefix).ToDictionary();
            if (prefix == "transformer")
                weights["pos_embed.pos_embed"] = models.Transformer.PosEmbed.Positions;
            Save(folder, prefix, prefix == "transformer" ? "diffusion_pytorch_model" : "model", weights);
        }

        MiniatureFolder.WriteManifest(folder);
    }

    /// <summary>Writes the model folder from the output folders of both trainings.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="recipe">The recipe of the trainings.</param>
    /// <param name="vaeFolder">Output folder of the autoencoder's training, or a model folder.</param>
    /// <param name="diffusionFolder">Output folder of the diffusion training.</param>
    public static void Write(string folder, MiniatureRecipe recipe, string vaeFolder, string diffusionFolder)
    {
        using var models = new MiniatureModels(recipe);
        using var vae = TrainedVae.Load(models, vaeFolder, CPU);
        using var diffusion = new FlatParameters(models.DiffusionParts, CPU, ScalarType.Float32, MiniatureModels.IsFixed);
        diffusion.Load(diffusionFolder, DiffusionTraining.Name);
        Write(folder, models, vae, diffusion);
    }

    private static void Save(string folder, string component, string name, IEnumerable<KeyValuePair<string, Tensor>> weights) =>
        SafetensorsWriter.Save(
            Path.Combine(folder, component, name + ".safetensors"),
            weights.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.detach().to(ScalarType.BFloat16))),
            new Dictionary<string, string> { ["format"] = "pt" });
}
