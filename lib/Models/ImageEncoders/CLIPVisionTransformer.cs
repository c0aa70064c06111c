using Dreambooth.Lab.Models.TextEncoders;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>The CLIP image encoder without its projection, under its published names. Letters: B pictures, S tokens, D width.</summary>
internal sealed class CLIPVisionTransformer : nn.Module
{
    [ComponentName(Name = "encoder")]
    private readonly ModuleDict<ModuleList<CLIPEncoderLayer>> _encoder;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPVisionTransformer(CLIPVisionConfig config, Device device, ScalarType dtype)
        : base(nameof(CLIPVisionTransformer))
    {
        Embeddings = new CLIPVisionEmbeddings(config, device, dtype);
        PreLayerNorm = new Layers.LayerNorm(config.HiddenSize, config.LayerNormEps, device, dtype);
        var layers = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new CLIPEncoderLayer(config.Layer, device, dtype)).ToArray();
        _encoder = nn.ModuleDict(("layers", nn.ModuleList(layers)));
        PostLayerNorm = new Layers.LayerNorm(config.HiddenSize, config.LayerNormEps, device, dtype);
        RegisterComponents();
    }

    /// <summary>Pixels to tokens.</summary>
    [field: ComponentName(Name = "embeddings")]
    public CLIPVisionEmbeddings Embeddings { get; }

    /// <summary>Norm before the first layer; its published name is misspelt.</summary>
    [field: ComponentName(Name = "pre_layrnorm")]
    public Layers.LayerNorm PreLayerNorm { get; }

    /// <summary>The layers, published as <c>encoder.layers</c>.</summary>
    public ModuleList<CLIPEncoderLayer> EncoderLayers => _encoder["layers"];

    /// <summary>Norm of the class token after the last layer.</summary>
    [field: ComponentName(Name = "post_layernorm")]
    public Layers.LayerNorm PostLayerNorm { get; }

    /// <summary>Encodes.</summary>
    /// <param name="pixelValues"><c>[B, 3, H, W]</c>.</param>
    /// <param name="outputHiddenStates">Whether all tokens before and after every layer are kept.</param>
    /// <returns>The normalised class token <c>[B, D]</c>; the tokens after the last layer, and those between.</returns>
    public ImageEncoderOutput forward(Tensor pixelValues, bool outputHiddenStates)
    {
        using var scope = NewDisposeScope();
        Func<Tensor, long, Tensor>[] layers = [.. EncoderLayers.Select(layer => (Func<Tensor, long, Tensor>)layer.Run)];
        var (last, hidden) = LayerStack.Run(PreLayerNorm.call(Embeddings.call(pixelValues)), layers, outputHiddenStates);
        var pooled = PostLayerNorm.call(last.select(1, 0));
        return new ImageEncoderOutput(
            pooled.MoveToOuterDisposeScope(), last.MoveToOuterDisposeScope(),
            [.. hidden.Select(tokens => tokens.MoveToOuterDisposeScope())]);
    }
}
