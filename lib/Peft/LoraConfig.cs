using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>Which linear layers of a model get a low-rank update, and how large it is. Names are PEFT's.</summary>
public sealed record LoraConfig
{
    /// <summary>The transformer's default targets: all projections of the joint attention (not of the second attention).</summary>
    public static IReadOnlyList<string> TransformerTargets { get; } =
    [
        "attn.add_k_proj", "attn.add_q_proj", "attn.add_v_proj", "attn.to_add_out",
        "attn.to_k", "attn.to_out.0", "attn.to_q", "attn.to_v",
    ];

    /// <summary>The CLIP text encoders' default targets.</summary>
    public static IReadOnlyList<string> TextEncoderTargets { get; } = ["q_proj", "k_proj", "v_proj", "out_proj"];

    /// <summary>Rank of the update, 1 or more. Flag <c>--rank</c>, default 4.</summary>
    public int Rank { get; init; } = 4;

    /// <summary>Alpha; the update is multiplied by alpha / rank. Null stands for the rank, a factor of 1.</summary>
    public double? LoraAlpha { get; init; }

    /// <summary>
    /// Ranks of single layers: a JSON object of regular expressions, as PEFT's <c>rank_pattern</c>: <c>{"attn.to_q": 16}</c>. A key matches
    /// a layer's path as <c>(.*\.)?(key)$</c>, and the first that matches counts. Null for none. Flag <c>--rank_pattern</c>.
    /// </summary>
    public string? RankPattern { get; init; }

    /// <summary>
    /// Alphas of single layers, in the same form. A layer without one has <see cref="LoraAlpha"/>, or where that is null its own rank.
    /// Null for none. Flag <c>--alpha_pattern</c>.
    /// </summary>
    public string? AlphaPattern { get; init; }

    /// <summary>What the update is. Default: plain LoRA. Flag <c>--lora_variant</c>.</summary>
    public LoraVariant Variant { get; init; } = LoraVariant.Lora;

    /// <summary>
    /// Whether the update is multiplied by alpha / √rank (Kalajdzievski 2023, arXiv:2312.03732). Flag <c>--use_rslora</c>.
    /// </summary>
    public bool UseRslora { get; init; }

    /// <summary>The probability with which an input of the update is left out in training. Flag <c>--lora_dropout</c>.</summary>
    public double LoraDropout { get; init; }

    /// <summary>Whether plain LoRA has a bias of its own. Flag <c>--lora_bias</c>.</summary>
    public bool LoraBias { get; init; }

    /// <summary>Ends of module paths, matched at a dot: <c>attn.to_q</c> takes <c>transformer_blocks.0.attn.to_q</c>.</summary>
    public required IReadOnlyList<string> TargetModules { get; init; }

    /// <summary>
    /// Indices of the transformer blocks that get updates, from 0; null for all layers. A target that some of these blocks
    /// lack is left out there: the last block has no <c>attn.to_add_out</c>.
    /// </summary>
    public IReadOnlyList<int>? Blocks { get; init; }

    /// <summary>Alpha, with its default resolved.</summary>
    public double Alpha => LoraAlpha ?? Rank;

    /// <summary>What the update is multiplied by: alpha / rank, or alpha / √rank.</summary>
    internal double Factor => FactorOf(Alpha, Rank, UseRslora);

    /// <summary>Whether the update is two matrices and no more, which has the fast passes.</summary>
    internal bool IsPlain => Variant == LoraVariant.Lora && !LoraBias && LoraDropout == 0;

    /// <summary>What alpha means: alpha / rank, or alpha / √rank where it is rank-stabilised.</summary>
    internal static double FactorOf(double alpha, int rank, bool isStabilised) => alpha / (isStabilised ? Math.Sqrt(rank) : rank);

    /// <summary>Whether a module path is a target.</summary>
    /// <param name="path">The module's path from the model's root.</param>
    public bool Targets(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return TargetModules.Any(target => IsAt(path, target)) && (Blocks is null || Blocks.Any(block => IsIn(path, block)));
    }

    /// <summary>Whether a module path is a target module's, in any block.</summary>
    internal static bool IsAt(string path, string target) => path == target || path.EndsWith("." + target, StringComparison.Ordinal);

    /// <summary>Whether a module path lies in a transformer block.</summary>
    internal static bool IsIn(string path, int block) => path.StartsWith($"transformer_blocks.{block}.", StringComparison.Ordinal);

    /// <summary>Checks the values.</summary>
    /// <exception cref="LabException">The rank or alpha is out of range, or there are no targets.</exception>
    public void Validate()
    {
        if (Rank < 1)
            throw new LabException($"The LoRA rank is {Rank}; it must be 1 or more.");
        if (LoraAlpha is <= 0 or double.NaN)
            throw new LabException($"The LoRA alpha is {LoraAlpha}; it must be greater than 0.");
        if (UseRslora && Variant is LoraVariant.Loha or LoraVariant.Lokr)
            throw new LabException($"use_rslora does not go with lora_variant {Flag.Format(Variant)}: its files have no place for it.");
        if (LoraBias && Variant != LoraVariant.Lora)
            throw new LabException($"lora_bias does not go with lora_variant {Flag.Format(Variant)}; it is plain LoRA's.");
        if (LoraDropout is not (>= 0 and < 1))
            throw new LabException($"lora_dropout is {LoraDropout}; valid is 0 to below 1.");
        if ((float)Factor is 0 or float.PositiveInfinity)
        {
            throw new LabException(
                $"The LoRA alpha is {LoraAlpha}; divided by the rank ({Rank}) it must be within float32: the rank is usual.");
        }

        if (RankPattern is not null || AlphaPattern is not null)
            _ = new LoraLayerRanks(this);
        if (TargetModules.Count == 0)
            throw new LabException("There are no LoRA target modules; name at least one.");
        if (Blocks is { Count: 0 })
            throw new LabException("The list of LoRA blocks is empty; name at least one block, or none at all for every layer.");
    }
}
