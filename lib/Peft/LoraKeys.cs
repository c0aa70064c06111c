using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// The tensors of a LoRA file by the layers they belong to, whatever the file's layout (<see cref="LoraNames"/>). diffusers and PEFT write
/// <c>lora_A</c> and <c>lora_B</c>, with or without the adapter's name; others <c>lora_down</c> and <c>lora_up</c>, or <c>lora.down</c> and
/// <c>lora.up</c>. Any of them may have the layer's alpha beside it.
/// </summary>
/// <param name="Layers">
/// What the file holds for each layer, by the layer's key, as <c>transformer.transformer_blocks.0.attn.to_q</c>.
/// </param>
internal sealed partial record LoraKeys(IReadOnlyDictionary<string, LoraKeys.Layer> Layers)
{
    [GeneratedRegex(
        @"^(?:base_model\.model\.)?(?<layer>.+?)\.(?:"
        + @"lora_(?<half>A|B)(?:\.[A-Za-z_]\w*)??\.(?<end>weight|bias)|lora(?:_linear_layer)?[._](?<old>down|up)\.(?<end>weight|bias)"
        + @"|(?<magnitude>lora_magnitude_vector|dora_scale|magnitude)(?:\.[A-Za-z_]\w*){0,2}"
        + @"|(?<other>hada_w[12]_[ab]|lokr_w[12](?:_[ab])?)(?:\.[A-Za-z_]\w*)?"
        + @"|(?:lora(?:_linear_layer)?\.)?(?<alpha>alpha))$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Tensor { get; }

    /// <summary>Sorts a file's tensors.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="isLayer">
    /// Whether a key is that of a layer of the models; null where there are none, for all that is known by name.
    /// </param>
    /// <exception cref="LabException">A layer has one matrix alone, or two updates.</exception>
    public static LoraKeys Read(Checkpoint checkpoint, string file, Func<string, bool>? isLayer)
    {
        var layers = new Dictionary<string, Layer>(StringComparer.Ordinal);
        var isJoined = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var name in checkpoint.Names)
        {
            if (Tensor.Match(name) is not { Success: true } match || PartOf(match) is not { } part)
                continue;
            var written = match.Groups["layer"].Value;
            foreach (var target in Targets(written, isLayer))
            {
                if (!layers.TryGetValue(target.Key, out var layer))
                    layers[target.Key] = layer = new Layer(target, written, new(StringComparer.Ordinal), isJoined);
                if (!layer.Names.TryAdd(part, name))
                {
                    throw new LabException(
                        $"{file} holds two updates of {target.Key}: {layer.Names[part]} and {name}. Save only one of them.");
                }
            }
        }

        foreach (var (key, layer) in layers.Where(entry => entry.Value.Parts.Any()))
        {
            if (LoraParts.Fault([.. layer.Parts]) is { } fault)
                throw new LabException($"{file} holds {fault} of {key}.");
        }

        return new LoraKeys(layers.Where(entry => entry.Value.Parts.Any()).ToDictionary(StringComparer.Ordinal));
    }

    private static string? PartOf(Match match)
    {
        if (match.Groups["alpha"].Success)
            return Layer.AlphaName;
        if (match.Groups["magnitude"].Success)
            return LoraParts.Magnitude;
        if (match.Groups["other"] is { Success: true } other)
            return other.Value;
        var isA = match.Groups["half"].Value == "A" || match.Groups["old"].Value == "down";
        return (isA, match.Groups["end"].Value == "bias") switch
        {
            (true, false) => LoraParts.A,
            (false, false) => LoraParts.B,
            (false, true) => LoraParts.Bias,
            _ => null,
        };
    }

    // PEFT alone names layers from the model's own root; a file of that kind is the transformer's.
    private static IEnumerable<LoraTarget> Targets(string written, Func<string, bool>? isLayer)
    {
        var known = LoraNames.Find(written);
        if (isLayer is null || known.Any(target => isLayer(target.Key)))
            return known.Where(target => isLayer?.Invoke(target.Key) ?? true);
        if (isLayer(written))
            return [new(written.Split('.')[0], written[(written.IndexOf('.', StringComparison.Ordinal) + 1)..], KeyPart.Whole,
                LoraFileLayout.Diffusers)];
        return isLayer($"transformer.{written}") ? [new("transformer", written, KeyPart.Whole, LoraFileLayout.Peft)] : [];
    }

    /// <summary>What a file holds for a layer.</summary>
    /// <param name="Target">The layer.</param>
    /// <param name="Written">The layer as the file writes it, without PEFT's <c>base_model.model.</c></param>
    /// <param name="Names">The tensors' names, by those of <see cref="LoraParts"/> and <see cref="AlphaName"/>.</param>
    /// <param name="IsJoined">Of all written layers: whether it was put together from three, as far as that has been looked at.</param>
    internal sealed record Layer(LoraTarget Target, string Written, Dictionary<string, string> Names, Dictionary<string, bool> IsJoined)
    {
        public const string AlphaName = "alpha";

        /// <summary>The names of <see cref="LoraParts"/> that are there, in order.</summary>
        public IEnumerable<string> Parts => LoraParts.Names.Where(Names.ContainsKey);

        /// <summary>The alpha that a tensor gives; null where there is no such tensor.</summary>
        /// <param name="checkpoint">The file.</param>
        /// <param name="file">Its path, for messages.</param>
        /// <exception cref="LabException">It is no finite number.</exception>
        public double? Alpha(Checkpoint checkpoint, string file)
        {
            if (!Names.TryGetValue(AlphaName, out var name))
                return null;
            using var scope = NewDisposeScope();
            var value = checkpoint.Load(name);
            if (value.numel() != 1)
                throw new LabException($"{file}: {name} has the shape [{string.Join(", ", value.shape)}]; alpha is one number.");
            var alpha = value.to(ScalarType.Float64).reshape(1).item<double>();
            return double.IsFinite(alpha) ? alpha : throw new NonFiniteException($"{file}: {name} is {alpha}; alpha is a finite number.");
        }
    }
}
