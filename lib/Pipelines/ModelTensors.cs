using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Which layers of a model the tensors of its files hold: what a LoRA is merged into.</summary>
internal static class ModelTensors
{
    private const string Weight = ".weight";
    private const string Bias = ".bias";

    /// <summary>The parameters of layers that a stored tensor holds; none where it is of no layer.</summary>
    /// <param name="Key">The layer, as <c>transformer.transformer_blocks.0.attn.to_q</c>.</param>
    /// <param name="IsBias">Whether it is the layer's bias and not its weight.</param>
    /// <param name="Part">Which rows of the stored tensor it is.</param>
    internal sealed record Parameter(string Key, bool IsBias, KeyPart Part);

    /// <summary>The parameters in a component's file of a published folder.</summary>
    /// <param name="file">The file.</param>
    /// <param name="component">The component.</param>
    public static ILookup<string, Parameter> OfFolder(SafetensorsFile file, string component) =>
        Lookup(file.Tensors.Keys.Select(name => (name, Of(component, name, KeyPart.Whole))));

    /// <summary>The parameters in one file of the original layout.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">It holds no transformer of Stable Diffusion 3.</exception>
    public static ILookup<string, Parameter> OfOriginal(string path)
    {
        using var file = Checkpoint.Open(path);
        if (SingleFilePart.Transformer.PrefixIn(file) is not { } transformer)
            throw new LabException(
                $"{path} holds no Stable Diffusion 3 transformer in the original layout; a model is such a file, or a folder with "
                + "model_index.json.");
        var blocks = TransformerTraits.Of(file, transformer).Blocks;
        List<(SingleFilePart Part, string Prefix, KeyMapping Names)> parts = [(SingleFilePart.Transformer, transformer,
            OriginalLayout.Transformer(blocks))];
        foreach (var (part, names) in new[] { (SingleFilePart.Clip, OriginalLayout.Clip), (SingleFilePart.Clip2, OriginalLayout.Clip2),
            (SingleFilePart.T5, OriginalLayout.T5) })
        {
            if (part.PrefixIn(file) is { } prefix)
                parts.Add((part, prefix, names));
        }

        return Lookup(
            from name in file.Names
            from part in parts.Where(part => name.StartsWith(part.Prefix, StringComparison.Ordinal)).Take(1)
            from rule in part.Names.Find(name[part.Prefix.Length..])
            where rule.Published is not null && rule.Part != KeyPart.Identity
            select (name, Of(part.Part.Component, rule.Published!, rule.Part)));
    }

    private static Parameter? Of(string component, string published, KeyPart part)
    {
        var isBias = published.EndsWith(Bias, StringComparison.Ordinal);
        if (!isBias && !published.EndsWith(Weight, StringComparison.Ordinal))
            return null;
        var path = published[..published.LastIndexOf('.')];
        return new(string.Create(CultureInfo.InvariantCulture, $"{component}.{path}"), isBias, part);
    }

    private static ILookup<string, Parameter> Lookup(IEnumerable<(string Stored, Parameter? Parameter)> entries) =>
        entries.Where(entry => entry.Parameter is not null)
            .ToLookup(entry => entry.Stored, entry => entry.Parameter!, StringComparer.Ordinal);
}
