using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// The configuration of <see cref="CLIPTextModelWithProjection"/>, with the names of the published <c>text_encoder/config.json</c>.
/// Defaults are those of the published class.
/// </summary>
public sealed record CLIPTextConfig
{
    /// <summary>Number of token ids.</summary>
    public int VocabSize { get; init; } = 49408;

    /// <summary>Width of the tokens.</summary>
    public int HiddenSize { get; init; } = 512;

    /// <summary>Width inside the feed-forward.</summary>
    public int IntermediateSize { get; init; } = 2048;

    /// <summary>Width of the projected, pooled text.</summary>
    public int ProjectionDim { get; init; } = 512;

    /// <summary>Number of layers.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Number of attention heads; divides <see cref="HiddenSize"/>.</summary>
    public int NumAttentionHeads { get; init; } = 8;

    /// <summary>Longest text, in tokens.</summary>
    public int MaxPositionEmbeddings { get; init; } = 77;

    /// <summary>Activation of the feed-forward: <c>quick_gelu</c> or <c>gelu</c> (exact).</summary>
    public string HiddenAct { get; init; } = "quick_gelu";

    /// <summary>Added to the variance in every norm.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>
    /// Id whose first place in a row is pooled. 2 is a mistake that published files carry: it stands for the largest id of the
    /// row, which is the end token of their vocabulary.
    /// </summary>
    public int EosTokenId { get; init; } = 49407;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing, is no JSON object, or asks for what this model does not have.</exception>
    public static CLIPTextConfig Read(string path)
    {
        var config = JsonFile.Read<CLIPTextConfig>(path);
        new RangeCheck(path).Whole("vocab_size", config.VocabSize, 1, 16_777_216).Whole("hidden_size", config.HiddenSize, 1, 65536)
            .Whole("intermediate_size", config.IntermediateSize, 1, 1 << 20).Whole("projection_dim", config.ProjectionDim, 1, 65536)
            .Whole("num_hidden_layers", config.NumHiddenLayers, 1, 512).Whole("num_attention_heads", config.NumAttentionHeads, 1, 1024)
            .Whole("max_position_embeddings", config.MaxPositionEmbeddings, 2, 1 << 20).Above("layer_norm_eps", config.LayerNormEps, 0)
            .ThrowIfAny();
        if (config.HiddenAct is not ("quick_gelu" or "gelu"))
            throw new LabException($"{path}: hidden_act is '{ShownText.Line(config.HiddenAct)}'; valid values are quick_gelu and gelu.");
        if (config.HiddenSize % config.NumAttentionHeads != 0)
            throw new LabException(
                $"{path}: num_attention_heads is {config.NumAttentionHeads}; it must divide hidden_size {config.HiddenSize}.");
        return config;
    }
}
