using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>The names and shapes that distinguish the transformers of Stable Diffusion 3.</summary>
/// <param name="Blocks">Number of blocks.</param>
/// <param name="Width">Width of the blocks.</param>
/// <param name="Positions">Rows of the position table.</param>
/// <param name="QkNorm">Whether queries and keys are normalised.</param>
/// <param name="DualBlocks">The blocks with a second attention, separated by commas.</param>
internal sealed partial record TransformerTraits(int Blocks, long Width, long Positions, bool QkNorm, string DualBlocks)
{
    /// <summary>The tensor that shows that a file holds a transformer in the original layout.</summary>
    public const string Probe = "x_embedder.proj.weight";

    /// <summary>Those of a configuration.</summary>
    public static TransformerTraits Of(SD3TransformerConfig config) => new(
        config.NumLayers, config.InnerDim, (long)config.PosEmbedMaxSize * config.PosEmbedMaxSize, config.HasQkNorm,
        string.Join(",", config.DualAttentionLayers.Order()));

    /// <summary>Those of a file that holds <see cref="Probe"/>.</summary>
    /// <param name="file">The file.</param>
    /// <param name="prefix">What the transformer's names begin with.</param>
    public static TransformerTraits Of(Checkpoint file, string prefix)
    {
        var blocks = file.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => (Match: BlockName().Match(name, prefix.Length), Name: name))
            .Where(found => found.Match.Success)
            .Select(found => (Number: int.Parse(found.Match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), found.Name))
            .ToList();
        var positions = file.Entries.TryGetValue(prefix + "pos_embed", out var table) && table.Shape.Length == 3 ? table.Shape[1] : 0;
        return new TransformerTraits(
            blocks.Count == 0 ? 0 : blocks.Max(block => block.Number) + 1,
            file.Entries[prefix + Probe].Shape[0],
            positions,
            blocks.Exists(block => block.Name.EndsWith(".attn.ln_q.weight", StringComparison.Ordinal)),
            string.Join(
                ",", blocks.Where(block => block.Name.Contains(".attn2.", StringComparison.Ordinal)).Select(block => block.Number)
                    .Distinct().Order()));
    }

    /// <summary>As a message says it.</summary>
    public override string ToString() =>
        $"{Blocks} blocks of width {Width}, {Positions} positions, queries and keys {(QkNorm ? "normalised" : "as they are")}, second "
        + $"attention in {(DualBlocks.Length == 0 ? "no block" : $"blocks {DualBlocks}")}";

    [GeneratedRegex(@"\Gjoint_blocks\.([0-9]+)\.")]
    private static partial Regex BlockName();
}
