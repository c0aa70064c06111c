using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// The CLIP text encoder without its projection, under its published names (<c>embeddings.*</c>, <c>encoder.layers.N.*</c>,
/// <c>final_layer_norm</c>). Letters: B rows, S tokens, D width.
/// </summary>
public sealed class CLIPTextTransformer : nn.Module
{
    [ComponentName(Name = "embeddings")]
    private readonly ModuleDict<Layers.Embedding> _embeddings;

    [ComponentName(Name = "encoder")]
    private readonly ModuleDict<ModuleList<CLIPEncoderLayer>> _encoder;

    private readonly int _longest;

    /// <summary>Declares the layers.</summary>
    /// <param name="config">The encoder's configuration.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPTextTransformer(CLIPTextConfig config, Device device, ScalarType dtype)
        : base(nameof(CLIPTextTransformer))
    {
        ArgumentNullException.ThrowIfNull(config);
        _longest = config.MaxPositionEmbeddings;
        _embeddings = nn.ModuleDict(
            ("token_embedding", new Layers.Embedding(config.VocabSize, config.HiddenSize, device, dtype)),
            ("position_embedding", new Layers.Embedding(config.MaxPositionEmbeddings, config.HiddenSize, device, dtype)));
        _encoder = nn.ModuleDict(
            ("layers",
                nn.ModuleList(
                    Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new CLIPEncoderLayer(config, device, dtype)).ToArray())));
        FinalLayerNorm = new Layers.LayerNorm(config.HiddenSize, config.LayerNormEps, device, dtype);
        RegisterComponents();
    }

    /// <summary>Vectors of the token ids, published as <c>embeddings.token_embedding</c>.</summary>
    public Layers.Embedding TokenEmbedding => _embeddings["token_embedding"];

    /// <summary>Vectors of the places, published as <c>embeddings.position_embedding</c>.</summary>
    public Layers.Embedding PositionEmbedding => _embeddings["position_embedding"];

    /// <summary>The layers, published as <c>encoder.layers</c>.</summary>
    public ModuleList<CLIPEncoderLayer> EncoderLayers => _encoder["layers"];

    /// <summary>Norm after the last layer.</summary>
    [field: ComponentName(Name = "final_layer_norm")]
    public Layers.LayerNorm FinalLayerNorm { get; }

    /// <summary>Encodes.</summary>
    /// <param name="inputIds">Token ids, <c>[B, S]</c>, int64.</param>
    /// <param name="outputHiddenStates">Whether the tokens before and between the layers are kept.</param>
    /// <returns>
    /// Tokens after the final norm, <c>[B, S, D]</c>; and, when asked for, the embeddings followed by each layer's output.
    /// </returns>
    /// <exception cref="ArgumentException">The text is longer than the model's window.</exception>
    public (Tensor LastHiddenState, IReadOnlyList<Tensor> HiddenStates) forward(Tensor inputIds, bool outputHiddenStates)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        if (inputIds.dim() != 2 || inputIds.shape[1] > _longest)
            throw new ArgumentException(
                $"Token ids have shape [{string.Join(", ", inputIds.shape)}]; [B, S] with S up to {_longest} is needed.", nameof(inputIds));
        using var scope = NewDisposeScope();
        var tokens = Embed(inputIds);
        var kept = new List<Tensor>();
        foreach (var layer in EncoderLayers)
        {
            var next = layer.call(tokens);
            if (outputHiddenStates)
                kept.Add(tokens.MoveToOuterDisposeScope());
            else
                tokens.Dispose();
            tokens = next;
        }

        if (outputHiddenStates)
            kept.Add(tokens.MoveToOuterDisposeScope());
        return (FinalLayerNorm.call(tokens).MoveToOuterDisposeScope(), kept);
    }

    private Tensor Embed(Tensor inputIds)
    {
        using var words = TokenEmbedding.call(inputIds);
        using var places = PositionEmbedding.Weight.narrow(0, 0, inputIds.shape[1]);
        return words.add(places, KeptScalar.One);
    }
}
