using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// Writes a LoRA for other tools. diffusers' keys (<c>transformer.….lora_A.weight</c>) are read by ComfyUI for Stable Diffusion 3 as well
/// (its <c>comfy/lora.py</c> and <c>comfy/weight_adapter/lora.py</c>). Where alpha differs from the rank, diffusers reads it from the
/// file's header; ComfyUI does not, and uses the factor 1: <see cref="Save(string, LoraAdapter, ScalarType, double?)"/> multiplies the
/// factor into the matrices, and every reader's default is right.
/// </summary>
public static class LoraExport
{
    /// <summary>The file name that a training gives the export beside its LoRA.</summary>
    public const string DefaultName = "comfyui_lora_weights.safetensors";

    /// <summary>The layouts that can be written, by the names that the command line has for them.</summary>
    internal static IReadOnlyList<string> Layouts { get; } = ["diffusers", "peft", "kohya", "comfyui"];

    /// <summary>Writes diffusers' keys, with the factor, and the weight, in the matrices.</summary>
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
        var tensors = LoraLayoutWriter.Diffusers(adapter.Layers.Select(layer => LoraContent.Of(layer).Folded(weight ?? adapter.Weight)));
        SafetensorsWriter.Save(
            path, tensors.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(dtype))),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>The file that gets the tensors.</summary>
    /// <param name="path">What is given for the output.</param>
    /// <param name="layout">The layout.</param>
    internal static string FileOf(string path, string layout) => layout == "peft" ? Path.Combine(path, LoraFile.PeftName) : path;

    /// <summary>The layers that a layout has a place for.</summary>
    /// <param name="layers">The layers of a LoRA.</param>
    /// <param name="layout">The layout.</param>
    internal static IEnumerable<LoraContent> Held(IEnumerable<LoraContent> layers, string layout) =>
        layout == "peft" ? layers.Where(layer => layer.Component == "transformer") : layers;

    /// <summary>A number of layers in words.</summary>
    /// <param name="count">How many.</param>
    internal static string Layers(int count) => count == 1 ? "1 layer" : $"{count} layers";

    /// <summary>Writes a LoRA in another layout, in Float32.</summary>
    /// <param name="path">
    /// The file; for <c>peft</c> a folder, which gets <c>adapter_model.safetensors</c> and <c>adapter_config.json</c>.
    /// </param>
    /// <param name="contents">What is written; it stays as it is.</param>
    /// <param name="layout"><c>diffusers</c>, <c>peft</c>, <c>kohya</c> or <c>comfyui</c>.</param>
    /// <param name="notes">More texts for the header; null for none.</param>
    /// <returns>What the layout cannot express, and what changes, one sentence each.</returns>
    /// <exception cref="LabException">
    /// The layout is not known, or has no place for a part without which the pictures would change.
    /// </exception>
    internal static IReadOnlyList<string> Save(
        string path, LoraContents contents, string layout, IReadOnlyDictionary<string, string>? notes = null)
    {
        ArgumentNullException.ThrowIfNull(contents);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var metadata = new Dictionary<string, string>(notes ?? new Dictionary<string, string>(), StringComparer.Ordinal)
        {
            ["format"] = "pt",
        };
        switch (layout)
        {
            case "diffusers":
                LoraMetadata.Add(contents.Layers, metadata);
                Write(path, LoraLayoutWriter.Diffusers(contents.Layers), metadata);
                break;
            case "peft":
                return WritePeft(path, contents.Layers, metadata);
            case "kohya":
                Write(path, LoraLayoutWriter.Kohya(contents.Layers), metadata);
                break;
            case "comfyui":
                Write(path, LoraLayoutWriter.ComfyUI(contents.Layers), metadata);
                break;
            default:
                throw new LabException($"There is no LoRA layout '{layout}'; there are {string.Join(", ", Layouts)}.");
        }

        return [.. Losses(contents.Layers, layout)];
    }

    private static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, Dictionary<string, string> metadata) =>
        SafetensorsWriter.Save(
            path, tensors.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(ScalarType.Float32).contiguous())), metadata);

    private static List<string> WritePeft(string folder, IReadOnlyList<LoraContent> layers, Dictionary<string, string> metadata)
    {
        var own = Held(layers, "peft").ToList();
        if (own.Count == 0)
            throw new LabException("A folder in PEFT's layout is one model's, here the transformer's, and this LoRA has nothing for it.");
        if (own.Select(layer => layer.Variant is LoraVariant.Dora ? LoraVariant.Lora : layer.Variant).Distinct().Count() > 1)
            throw new LabException("A folder in PEFT's layout has one variant, and this LoRA has several; convert it to diffusers.");
        if (File.Exists(folder))
            throw new LabException($"{folder} is a file, and PEFT's layout is a folder; name a folder for the output.");
        Directory.CreateDirectory(folder);
        var config = LoraMetadata.Config(own);
        JsonFile.Write(Path.Combine(folder, LoraMetadata.PeftConfigName), config);
        Write(FileOf(folder, "peft"), LoraLayoutWriter.Peft(own), metadata);
        return own.Count == layers.Count ? []
            : [$"A folder in PEFT's layout is one model's: {Layers(layers.Count - own.Count)} of text encoders left out. Pictures change."];
    }

    private static IEnumerable<string> Losses(IReadOnlyList<LoraContent> layers, string layout)
    {
        if (layout == "diffusers" && layers.Any(layer => layer.Variant is LoraVariant.Loha or LoraVariant.Lokr))
            yield return "diffusers itself has no LoHa and LoKr; the names are its own, the tensors LyCORIS'.";
        if (layers.Count(layer => layer.IsWhole && (layer.Factor != 1 || layer.Rank != 1)) is > 0 and var whole)
        {
            yield return $"{Layers(whole)} of LoKr with two whole factors, for which the layout has no rank and alpha: alpha / rank is "
                + "multiplied into the first, and rank and alpha are read as 1.";
        }

        if (layout is not ("kohya" or "comfyui"))
            yield break;
        if (layers.Any(layer => layer.Variant == LoraVariant.Dora))
            yield return "The magnitudes of DoRA are written as LyCORIS' dora_scale; sd-scripts' own LoRA for Stable Diffusion 3 has none.";
        if (LoraJoin.Uneven(layers))
        {
            yield return "Queries, keys and values of different ranks or factors are one layer in this layout: it has the sum of their "
                + "ranks, with the factors in the matrices where they differ.";
        }

        if (layers.Any(layer => layer.Factor != layer.Alpha / layer.Rank))
            yield return "The layout has no rank-stabilised scaling; alpha is written so that alpha / rank is the same factor.";
        if (layers.Any(layer => layer.Dropout > 0))
            yield return "The dropout of the training is not written.";
        if (layers.Any(layer => layer.Variant is LoraVariant.Loha or LoraVariant.Lokr))
            yield return "LoHa and LoKr are written with LyCORIS' names for the layers of diffusers (lycoris_…).";
    }
}
