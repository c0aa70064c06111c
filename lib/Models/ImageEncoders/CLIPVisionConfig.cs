using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// The configuration of <see cref="CLIPVisionModelWithProjection"/>, with the names of the published <c>config.json</c>. Defaults are those
/// of the published class.
/// </summary>
internal sealed record CLIPVisionConfig
{
    /// <summary>Width of the tokens.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Width inside the feed-forward.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Width of the projected picture.</summary>
    public int ProjectionDim { get; init; } = 512;

    /// <summary>Number of layers.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Number of attention heads; divides <see cref="HiddenSize"/>.</summary>
    public int NumAttentionHeads { get; init; } = 12;

    /// <summary>Side of the picture that the position table is made for, in pixels.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Side of a patch, in pixels.</summary>
    public int PatchSize { get; init; } = 32;

    /// <summary>Activation of the feed-forward: <c>quick_gelu</c> (OpenAI's models) or <c>gelu</c> (LAION's).</summary>
    public string HiddenAct { get; init; } = "quick_gelu";

    /// <summary>Added to the variance in every norm.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>What a layer is made of.</summary>
    internal CLIPLayerSizes Layer =>
        new(HiddenSize, IntermediateSize, NumAttentionHeads, HiddenAct == "quick_gelu", LayerNormEps, IsCausal: false);

    /// <summary>Reads <c>config.json</c> of an image encoder, or of a whole CLIP model.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">The file is missing, is no JSON object, or asks for what this model does not have.</exception>
    public static CLIPVisionConfig Read(string path)
    {
        var file = JsonField.ReadFile(path);
        var own = file.Find("vision_config");
        var config = (own ?? file).To<CLIPVisionConfig>();
        // Of a whole model the outer width counts; the inner one is a default that some published files leave as it is.
        if (own is not null && file.Find("projection_dim") is { } outer)
            config = config with { ProjectionDim = outer.Int() };
        return config.Checked(path);
    }

    private CLIPVisionConfig Checked(string path)
    {
        new RangeCheck(path).Whole("hidden_size", HiddenSize, 1, 65536).Whole("intermediate_size", IntermediateSize, 1, 1 << 20)
            .Whole("projection_dim", ProjectionDim, 1, 65536).Whole("num_hidden_layers", NumHiddenLayers, 1, 512)
            .Whole("num_attention_heads", NumAttentionHeads, 1, 1024).Whole("patch_size", PatchSize, 1, 1024)
            .Whole("image_size", ImageSize, PatchSize, 8192).Above("layer_norm_eps", LayerNormEps, 0).ThrowIfAny();
        new RangeCheck(path)
            .Holds(HiddenAct is "quick_gelu" or "gelu",
                $"hidden_act is '{ShownText.Line(HiddenAct)}'; valid values are quick_gelu and gelu.")
            .Holds(HiddenSize % NumAttentionHeads == 0,
                $"num_attention_heads is {NumAttentionHeads}; it must divide hidden_size {HiddenSize}.")
            .ThrowIfAny();
        return this;
    }
}
