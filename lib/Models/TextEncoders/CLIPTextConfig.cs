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
    public static CLIPTextConfig Read(string path) => JsonFile.Read<CLIPTextConfig>(path).Checked(path);

    /// <summary>This, if this model has what it asks for.</summary>
    /// <param name="path">The file that it is from.</param>
    /// <exception cref="LabException">It asks for something else.</exception>
    internal CLIPTextConfig Checked(string path)
    {
        new RangeCheck(path).Whole("vocab_size", VocabSize, 1, 16_777_216).Whole("hidden_size", HiddenSize, 1, 65536)
            .Whole("intermediate_size", IntermediateSize, 1, 1 << 20).Whole("projection_dim", ProjectionDim, 1, 65536)
            .Whole("num_hidden_layers", NumHiddenLayers, 1, 512).Whole("num_attention_heads", NumAttentionHeads, 1, 1024)
            .Whole("max_position_embeddings", MaxPositionEmbeddings, 2, 1 << 20).Above("layer_norm_eps", LayerNormEps, 0)
            .ThrowIfAny();
        if (HiddenAct is not ("quick_gelu" or "gelu"))
            throw new LabException($"{path}: hidden_act is '{ShownText.Line(HiddenAct)}'; valid values are quick_gelu and gelu.");
        if (HiddenSize % NumAttentionHeads != 0)
            throw new LabException(
                $"{path}: num_attention_heads is {NumAttentionHeads}; it must divide hidden_size {HiddenSize}.");
        return this;
    }
}
