using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// Writes an adapter for other tools. The keys are those of diffusers (<c>transformer.….lora_A.weight</c>), which ComfyUI reads for Stable
/// Diffusion 3 as well (its <c>comfy/lora.py</c> and <c>comfy/weight_adapter/lora.py</c>). Where alpha differs from the rank, diffusers
/// reads it from the file's header; ComfyUI does not, and uses the factor 1. So the factor alpha / rank, and the weight, are multiplied
/// into B here, and every reader's default is right.
/// </summary>
public static class LoraExport
{
    /// <summary>The file name that a training gives the export beside its LoRA.</summary>
    public const string DefaultName = "comfyui_lora_weights.safetensors";

    /// <summary>Writes the file.</summary>
    /// <param name="path">The file; written atomically.</param>
    /// <param name="adapter">The adapter; it stays as it is.</param>
    /// <param name="dtype">Element type: Float32 (the default), BFloat16 or Float16.</param>
    /// <param name="weight">How strongly it shall act when the other tool's strength is 1; null for the adapter's own weight.</param>
    /// <exception cref="LabException">The element type is another, or does not hold the values.</exception>
    public static void Save(string path, LoraAdapter adapter, ScalarType dtype = ScalarType.Float32, double? weight = null)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        if (dtype is not (ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16))
            throw new LabException($"A LoRA is exported in Float32, BFloat16 or Float16, not in {dtype}.");
        FiniteCheck.Require(adapter.Parameters, $"The LoRA '{adapter.Name}', which was to be written to {path},");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var tensors = adapter.Layers.SelectMany(layer => new KeyValuePair<string, Tensor>[]
        {
            new($"{layer.Key}.lora_A.weight", layer.Weights.A.detach().to(dtype)),
            new(
                $"{layer.Key}.lora_B.weight",
                layer.Weights.B.detach().to(ScalarType.Float32).mul(KeptScalar.Of(layer.Factor * (weight ?? adapter.Weight)))
                    .to(dtype)),
        });
        SafetensorsWriter.Save(path, tensors, new Dictionary<string, string> { ["format"] = "pt" });
    }
}
