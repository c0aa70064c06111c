using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// The CLIP text encoder with its projection (Radford et al. 2021, arXiv:2103.00020): Stable Diffusion 3's first and second
/// text encoder. Parameter names are the published ones (transformers 5.17 <c>models/clip/modeling_clip.py</c>).
/// Letters: B rows, S tokens, D width, P projected width.
/// </summary>
/// <remarks>There is no attention mask but the causal one: padding after a text changes nothing before it.</remarks>
public sealed class CLIPTextModelWithProjection : nn.Module
{
    /// <summary>The base name of the published weights file.</summary>
    public const string WeightsName = "model";

    /// <summary>Value of <see cref="CLIPTextConfig.EosTokenId"/> that stands for the largest id of a row.</summary>
    private const int LegacyEosTokenId = 2;

    /// <summary>Declares the layers; weights are loaded afterwards.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPTextModelWithProjection(CLIPTextConfig config, Device device, ScalarType dtype)
        : base(nameof(CLIPTextModelWithProjection))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        TextModel = new CLIPTextTransformer(config, device, dtype);
        TextProjection = new LoraLinear(config.HiddenSize, config.ProjectionDim, false, device, dtype);
        RegisterComponents();
    }

    /// <summary>Loads a published model folder: <c>config.json</c> and <c>model.safetensors</c>, whole or in shards.</summary>
    /// <param name="folder">The folder, usually <c>text_encoder</c> or <c>text_encoder_2</c>.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="variant">The variant of the files that is preferred, as <c>fp16</c>, or null.</param>
    /// <exception cref="Foundation.LabException">A file is missing or does not fit the configuration.</exception>
    public static CLIPTextModelWithProjection Load(string folder, Device device, ScalarType dtype, string? variant = null)
    {
        using var checkpoint = Checkpoint.OpenFolder(folder, WeightsName, variant);
        return Load(CLIPTextConfig.Read(Path.Combine(folder, "config.json")), checkpoint, device, dtype);
    }

    /// <summary>Loads weights under the published names from anywhere.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights, which stay the caller's.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">The weights do not fit the configuration.</exception>
    public static CLIPTextModelWithProjection Load(CLIPTextConfig config, ITensorSource weights, Device device, ScalarType dtype)
    {
        var model = new CLIPTextModelWithProjection(config, META, dtype);
        StateDictLoader.Load(model, weights, device, dtype, IsSuperfluous);
        return model;
    }

    /// <summary>
    /// Whether a file may hold a tensor that is not needed: those of older versions carry the place numbers 0, 1, 2, ... as a tensor.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    public static bool IsSuperfluous(string name) => name == "text_model.embeddings.position_ids";

    /// <summary>Sizes.</summary>
    public CLIPTextConfig Config { get; }

    /// <summary>The encoder.</summary>
    [field: ComponentName(Name = "text_model")]
    public CLIPTextTransformer TextModel { get; }

    /// <summary>Pooled text to the space shared with pictures.</summary>
    [field: ComponentName(Name = "text_projection")]
    public LoraLinear TextProjection { get; }

    /// <summary>Encodes.</summary>
    /// <param name="inputIds">Token ids, <c>[B, S]</c>, int64, S up to the model's window.</param>
    /// <param name="outputHiddenStates">Whether the tokens before and between the layers are kept.</param>
    /// <returns>The encoded text.</returns>
    /// <exception cref="ArgumentException">The ids have another shape.</exception>
    public CLIPTextModelOutput forward(Tensor inputIds, bool outputHiddenStates = false)
    {
        var (last, hidden) = TextModel.forward(inputIds, outputHiddenStates);
        using var scope = NewDisposeScope();
        return new CLIPTextModelOutput(TextProjection.call(Pool(last, inputIds)).MoveToOuterDisposeScope(), last, hidden);
    }

    /// <summary>The place in each row that is pooled: its first end token, <c>[B]</c> int64.</summary>
    /// <param name="inputIds">Token ids, <c>[B, S]</c>.</param>
    public Tensor PooledPositions(Tensor inputIds)
    {
        using var scope = NewDisposeScope();
        var marked = Config.EosTokenId == LegacyEosTokenId
            ? inputIds.to(ScalarType.Int32)
            : inputIds.eq(KeptScalar.Integer(Config.EosTokenId)).to(ScalarType.Int32);
        return marked.argmax(-1).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens <c>[B, S, D]</c> to those at the pooled places, <c>[B, D]</c>.</summary>
    private Tensor Pool(Tensor tokens, Tensor inputIds)
    {
        var starts = KeptScalar.Range(0, tokens.shape[0] * tokens.shape[1], ScalarType.Int64, tokens.device, tokens.shape[1]);
        return tokens.flatten(0, 1).index_select(0, starts.add(PooledPositions(inputIds), KeptScalar.One));
    }
}
