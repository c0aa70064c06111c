using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// The configuration of <see cref="ViTModel"/>, with the names of the published <c>config.json</c> of DINO (<c>vit</c>), DINOv2
/// (<c>dinov2</c>) and DINOv2 with registers (<c>dinov2_with_registers</c>). Defaults are those of the published classes.
/// </summary>
internal sealed record ViTConfig
{
    /// <summary>The form: <c>vit</c>, <c>dinov2</c> or <c>dinov2_with_registers</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>Width of the tokens.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Width inside the feed-forward of a <c>vit</c>; the others have <see cref="MlpRatio"/>.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>How much wider than the tokens the feed-forward of a <c>dinov2</c> is inside.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>Number of layers.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Number of attention heads; divides <see cref="HiddenSize"/>.</summary>
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Number of tokens between the class token and the patches that have no position.</summary>
    public int NumRegisterTokens { get; init; } = 4;

    /// <summary>Side of the picture that the position table is made for, in pixels; a <c>dinov2</c> mostly gets smaller ones.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Side of a patch, in pixels; 14 in a <c>dinov2</c> and 16 in the others where the file does not tell.</summary>
    public int? PatchSize { get; init; }

    /// <summary>Whether queries, keys and values have a bias.</summary>
    public bool QkvBias { get; init; } = true;

    /// <summary>Activation of the feed-forward; only <c>gelu</c> (exact) is known.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Whether the feed-forward is a gated one, as in the giant DINOv2; it is not known here.</summary>
    public bool UseSwigluFfn { get; init; }

    /// <summary>Added to the variance in every norm; 1e-12 in a <c>vit</c> and 1e-6 in the others where the file does not tell.</summary>
    public double? LayerNormEps { get; init; }

    /// <summary>Whether it is a DINOv2, with or without registers: layers with learned scales.</summary>
    internal bool IsDinov2 => ModelType != "vit";

    /// <summary>Whether there are register tokens.</summary>
    internal bool HasRegisters => ModelType == "dinov2_with_registers";

    /// <summary>Width inside the feed-forward.</summary>
    internal int InnerWidth => IsDinov2 ? (int)(HiddenSize * MlpRatio) : IntermediateSize;

    /// <summary>Side of a patch, in pixels.</summary>
    internal int PatchSide => PatchSize ?? (ModelType == "dinov2" ? 14 : 16);

    /// <summary>Added to the variance in every norm.</summary>
    internal double Epsilon => LayerNormEps ?? (IsDinov2 ? 1e-6 : 1e-12);

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing, is no JSON object, or asks for what this model does not have.</exception>
    public static ViTConfig Read(string path)
    {
        var config = JsonFile.Read<ViTConfig>(path);
        new RangeCheck(path).Whole("hidden_size", config.HiddenSize, 1, 65536)
            .Whole("intermediate_size", config.IntermediateSize, 1, 1 << 20).Above("mlp_ratio", config.MlpRatio, 0)
            .Whole("num_hidden_layers", config.NumHiddenLayers, 1, 512).Whole("num_attention_heads", config.NumAttentionHeads, 1, 1024)
            .Whole("num_register_tokens", config.NumRegisterTokens, 0, 1024).Whole("patch_size", config.PatchSide, 1, 1024)
            .Whole("image_size", config.ImageSize, config.PatchSide, 8192).Above("layer_norm_eps", config.Epsilon, 0).ThrowIfAny();
        new RangeCheck(path)
            .Holds(config.ModelType is "vit" or "dinov2" or "dinov2_with_registers",
                $"model_type is '{ShownText.Line(config.ModelType)}'; valid values are vit, dinov2 and dinov2_with_registers.")
            .Holds(config.HiddenAct == "gelu", $"hidden_act is '{ShownText.Line(config.HiddenAct)}'; only gelu is known.")
            .Holds(!config.UseSwigluFfn, "use_swiglu_ffn is true; only the plain feed-forward is known.")
            .Holds(config.InnerWidth is >= 1 and <= 1 << 20, $"mlp_ratio is {config.MlpRatio}; it makes the feed-forward too wide.")
            .Holds(config.HiddenSize % config.NumAttentionHeads == 0,
                $"num_attention_heads is {config.NumAttentionHeads}; it must divide hidden_size {config.HiddenSize}.")
            .ThrowIfAny();
        return config;
    }
}
