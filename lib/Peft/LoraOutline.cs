using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Peft;

/// <summary>What a LoRA file has for a layer, without its values.</summary>
/// <param name="Component">Prefix of the model, for example <c>transformer</c>.</param>
/// <param name="Path">The layer's path in the model.</param>
/// <param name="Variant">What the update does.</param>
/// <param name="Rank">The rank.</param>
/// <param name="Alpha">Alpha.</param>
/// <param name="Factor">What alpha means: the factor of the update.</param>
/// <param name="HasBias">Whether it has a bias.</param>
internal sealed record LoraOutline(
    string Component, string Path, LoraVariant Variant, int Rank, double Alpha, double Factor, bool HasBias)
{
    /// <summary>Reads the layers of a file; no model is needed.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="LabException">Nothing in it is known, or a layer's tensors do not go together.</exception>
    public static IReadOnlyList<LoraOutline> Read(string file)
    {
        using var checkpoint = Checkpoint.Open(file);
        var metadata = LoraMetadata.Read(checkpoint, file);
        var keys = LoraKeys.Read(checkpoint, file, isLayer: null);
        if (keys.Layers.Count == 0)
            throw new LabException($"{file} holds no LoRA of Stable Diffusion 3: {LoraLayout.Describe(checkpoint.Names)}.");
        var readers = keys.Layers.Values.Select(layer => LoraLayerReader.Read(checkpoint, file, layer)).Where(reader => !reader.IsEmpty);
        LoraOutline[] layers = [.. readers.Select(reader => Of(reader, metadata))];
        return layers.Length > 0 ? layers : throw new LabException($"{file} holds only zeros: there is nothing to apply.");
    }

    private static LoraOutline Of(LoraLayerReader reader, LoraMetadata metadata)
    {
        var (rank, alpha, factor) = metadata.ScaleOf(reader);
        var (component, path, _, _) = reader.Target;
        return new(
            component, path, reader.Parts.Variant, rank, alpha, factor, reader.Parts.Entries.Any(entry => entry.Name == LoraParts.Bias));
    }
}
