using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Pipelines;

/// <summary>How a LoRA's layers fit a model, by names and sizes alone.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Fitting">Layers of the transformer that the model has in their size.</param>
/// <param name="Total">Layers of the transformer that the LoRA changes.</param>
/// <param name="Misfit">What the first that does not fit is, and what the model has instead; null where all fit.</param>
internal sealed record LoraFit(string Model, int Fitting, int Total, string? Misfit)
{
    /// <summary>Whether the model has every layer.</summary>
    public bool IsWhole => Fitting == Total;

    /// <summary>Compares a LoRA with models.</summary>
    /// <param name="layers">The LoRA's layers; those of text encoders, which the published models share, do not count.</param>
    /// <param name="models">The models.</param>
    public static IReadOnlyList<LoraFit> Of(IReadOnlyList<LoraInspectedLayer> layers, IReadOnlyList<SingleFilePreset> models)
    {
        var own = layers.Where(layer => layer.Component == SingleFilePart.Transformer.Component).ToList();
        return own.Count == 0 ? [] : [.. models.Select(model =>
        {
            var sizes = SD3LayerSizes.Of(model.Transformer);
            var fitting = own.Count(layer => sizes.TryGetValue(layer.Path, out var size) && size == (layer.Out, layer.In));
            var misfit = own.Select(layer => MisfitOf(layer, sizes)).FirstOrDefault(text => text is not null);
            return new LoraFit(model.Name, fitting, own.Count, misfit);
        })];
    }

    private static string? MisfitOf(LoraInspectedLayer layer, Dictionary<string, (long Out, long In)> sizes)
    {
        if (!sizes.TryGetValue(layer.Path, out var size))
            return $"{layer.Path}, which it lacks";
        return size == (layer.Out, layer.In) ? null
            : $"{layer.Path} is {layer.In} → {layer.Out}, there {size.In} → {size.Out}";
    }
}
