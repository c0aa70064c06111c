using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// The tensors of a LoRA file by the layers they belong to. diffusers and PEFT write <c>lora_A</c> and <c>lora_B</c>, with or without the
/// adapter's name; older files <c>lora.down</c> and <c>lora.up</c>, or <c>lora_down</c> and <c>lora_up</c>. Any of them may have the
/// layer's alpha beside it.
/// </summary>
/// <param name="Pairs">
/// The matrices of each layer that the models have, by the layer's key, as <c>transformer.transformer_blocks.0.attn.to_q</c>.
/// </param>
/// <param name="Alphas">The names of alphas, by the same keys.</param>
internal sealed partial record LoraKeys(IReadOnlyDictionary<string, LoraKeys.Pair> Pairs, IReadOnlyDictionary<string, string> Alphas)
{
    private const string Transformer = "transformer";

    [GeneratedRegex(
        @"^(?:base_model\.model\.)?(?<layer>.+?)\.(?:lora_(?<half>A|B)(?:\.[A-Za-z_]\w*)??"
        + @"|lora(?:_linear_layer)?[._](?<old>down|up))\.weight$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Matrix { get; }

    [GeneratedRegex(@"^(?:base_model\.model\.)?(?<layer>.+?)(?:\.lora(?:_linear_layer)?)?\.alpha$", RegexOptions.CultureInvariant)]
    private static partial Regex Alpha { get; }

    /// <summary>Sorts a file's tensors.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="isLayer">Whether a key is that of a layer of the models.</param>
    /// <exception cref="LabException">A layer has one matrix alone, or two updates.</exception>
    public static LoraKeys Read(Checkpoint checkpoint, string file, Func<string, bool> isLayer)
    {
        var pairs = new Dictionary<string, Pair>(StringComparer.Ordinal);
        var alphas = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in checkpoint.Names)
        {
            if (Matrix.Match(name) is { Success: true } matrix)
            {
                var written = matrix.Groups["layer"].Value;
                var layer = KeyOf(written, isLayer);
                if (!isLayer(layer))
                    continue;
                var pair = pairs.GetValueOrDefault(layer, new Pair(written, string.Empty, string.Empty));
                var isA = matrix.Groups["half"].Value == "A" || matrix.Groups["old"].Value == "down";
                if ((isA ? pair.A : pair.B) is { Length: > 0 } other)
                    throw new LabException($"{file} holds two updates of {layer}: {other} and {name}. Save only one of them.");
                pairs[layer] = isA ? pair with { A = name } : pair with { B = name };
            }
            else if (Alpha.Match(name) is { Success: true } alpha)
            {
                alphas[KeyOf(alpha.Groups["layer"].Value, isLayer)] = name;
            }
        }

        var halves = pairs.Where(pair => pair.Value.A.Length == 0 || pair.Value.B.Length == 0).Select(pair => pair.Key).ToList();
        return halves.Count == 0
            ? new LoraKeys(pairs, alphas)
            : throw new LabException($"{file} holds only one of the two matrices of {string.Join(", ", halves.Take(6))}.");
    }

    /// <summary>The alpha that a file's tensor gives a layer.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="layer">The layer's key.</param>
    /// <returns>Null where there is no such tensor.</returns>
    /// <exception cref="LabException">It is no finite number.</exception>
    public double? AlphaOf(Checkpoint checkpoint, string file, string layer)
    {
        if (!Alphas.TryGetValue(layer, out var name))
            return null;
        using var scope = NewDisposeScope();
        var value = checkpoint.Load(name);
        if (value.numel() != 1)
            throw new LabException($"{file}: {name} has the shape [{string.Join(", ", value.shape)}]; alpha is one number.");
        var alpha = value.to(ScalarType.Float64).reshape(1).item<double>();
        return double.IsFinite(alpha) ? alpha : throw new NonFiniteException($"{file}: {name} is {alpha}; alpha is a finite number.");
    }

    // PEFT alone names layers from the model's own root; a file of that kind is the transformer's.
    private static string KeyOf(string written, Func<string, bool> isLayer) =>
        !isLayer(written) && isLayer($"{Transformer}.{written}") ? $"{Transformer}.{written}" : written;

    /// <summary>A layer's matrices.</summary>
    /// <param name="Written">The layer as the file writes it, without PEFT's <c>base_model.model.</c></param>
    /// <param name="A">Name of the down projection.</param>
    /// <param name="B">Name of the up projection.</param>
    internal sealed record Pair(string Written, string A, string B);
}
