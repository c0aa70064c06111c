using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// The encoder of T5 1.1 (Raffel et al. 2020, arXiv:1910.10683): Stable Diffusion 3's third text encoder. Parameter names are
/// the published ones (transformers 5.17 <c>models/t5/modeling_t5.py</c>). Letters: B rows, S tokens, D width, N heads.
/// </summary>
/// <remarks>There is no attention mask: padding is attended to, as in Stable Diffusion 3.</remarks>
public sealed class T5EncoderModel : nn.Module<Tensor, Tensor>
{
    /// <summary>The base name of the published weights file.</summary>
    public const string WeightsName = "model";

    [ComponentName(Name = "encoder")]
    private readonly ModuleDict<nn.Module> _encoder;

    private readonly RelativePositionBuckets _buckets;

    /// <summary>Declares the layers; weights are loaded afterwards.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public T5EncoderModel(T5Config config, Device device, ScalarType dtype)
        : base(nameof(T5EncoderModel))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        _buckets = new RelativePositionBuckets(config.RelativeAttentionNumBuckets, config.RelativeAttentionMaxDistance);
        Shared = new Layers.Embedding(config.VocabSize, config.DModel, device, dtype);
        _encoder = nn.ModuleDict<nn.Module>(
            ("block",
                nn.ModuleList(Enumerable.Range(0, config.NumLayers).Select(i => new T5Block(config, i == 0, device, dtype)).ToArray())),
            ("final_layer_norm", new Layers.RMSNorm(config.DModel, config.LayerNormEpsilon, device, dtype)));
        RegisterComponents();
    }

    /// <summary>
    /// Loads a published model folder: <c>config.json</c> and <c>model.safetensors</c>, whole or in shards. In float16 the
    /// feed-forward's output weights stay float32, as in the reference: their products overflow float16.
    /// </summary>
    /// <param name="folder">The folder, usually <c>text_encoder_3</c>.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="variant">The variant of the files that is preferred, as <c>fp16</c>, or null.</param>
    /// <exception cref="Foundation.LabException">A file is missing or does not fit the configuration.</exception>
    public static T5EncoderModel Load(string folder, Device device, ScalarType dtype, string? variant = null)
    {
        using var checkpoint = Checkpoint.OpenFolder(folder, WeightsName, variant);
        return Load(T5Config.Read(Path.Combine(folder, "config.json")), checkpoint, device, dtype);
    }

    /// <summary>Loads weights under the published names from anywhere, with the same exception in float16.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights, which stay the caller's.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">The weights do not fit the configuration.</exception>
    public static T5EncoderModel Load(T5Config config, ITensorSource weights, Device device, ScalarType dtype)
    {
        var model = new T5EncoderModel(config, META, dtype);
        StateDictLoader.Load(model, weights, device, dtype, IsSuperfluous);
        for (var i = 0; i < model.Blocks.Count; i++)
            model.WidenOutput(i, weights, device);
        return model;
    }

    /// <summary>Whether a file may hold a tensor that is not needed: some hold the embedding a second time under its other name.</summary>
    /// <param name="name">The tensor's name.</param>
    public static bool IsSuperfluous(string name) => name == "encoder.embed_tokens.weight";

    /// <summary>Sizes.</summary>
    public T5Config Config { get; }

    /// <summary>Vectors of the token ids.</summary>
    [field: ComponentName(Name = "shared")]
    public Layers.Embedding Shared { get; }

    /// <summary>The blocks, published as <c>encoder.block</c>.</summary>
    public ModuleList<T5Block> Blocks => (ModuleList<T5Block>)_encoder["block"];

    /// <summary>Norm after the last block, published as <c>encoder.final_layer_norm</c>.</summary>
    public Layers.RMSNorm FinalLayerNorm => (Layers.RMSNorm)_encoder["final_layer_norm"];

    /// <summary>Encodes.</summary>
    /// <param name="inputIds">Token ids, <c>[B, S]</c>, int64.</param>
    /// <returns>Tokens, <c>[B, S, D]</c>.</returns>
    /// <exception cref="ArgumentException">The ids have another shape.</exception>
    public override Tensor forward(Tensor inputIds)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        if (inputIds.dim() != 2)
            throw new ArgumentException($"Token ids have shape [{string.Join(", ", inputIds.shape)}]; [B, S] is needed.", nameof(inputIds));
        using var scope = NewDisposeScope();
        var bias = PositionBias(inputIds.shape[1]);
        var tokens = Shared.call(inputIds);
        foreach (var block in Blocks)
        {
            var next = block.call(tokens, bias);
            tokens.Dispose();
            tokens = next;
        }

        return FinalLayerNorm.call(tokens).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Encodes with weights that stay in their file: each block is loaded, applied to all texts and freed, so that one block is in memory
    /// at a time. What comes out is bit for bit what <see cref="forward"/> gives for each of the texts. The model's own parameters may be
    /// on the meta device, and are there afterwards.
    /// </summary>
    /// <param name="inputIds">Token ids, each <c>[B, S]</c>, int64; B and S may differ.</param>
    /// <param name="weights">The weights, checked before.</param>
    /// <param name="device">Where it is computed.</param>
    /// <returns>Tokens for each of the inputs, <c>[B, S, D]</c>; without gradients.</returns>
    public IReadOnlyList<Tensor> Stream(IReadOnlyList<Tensor> inputIds, ITensorSource weights, Device device)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        ArgumentNullException.ThrowIfNull(weights);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var dtype = Shared.Weight.dtype;
        Tensor[] tokens = [.. Embed(inputIds, weights, device, dtype)];
        var biases = new Dictionary<long, Tensor>();
        for (var i = 0; i < Blocks.Count; i++)
        {
            var block = Blocks[i];
            using var loaded = new WeightsOnDemand(block, () => LoadBlock(block, i, weights, device, dtype)).Hold();
            if (i == 0)
                biases = tokens.Select(text => text.shape[1]).Distinct().ToDictionary(length => length, PositionBias);
            for (var text = 0; text < tokens.Length; text++)
            {
                var next = block.call(tokens[text], biases[tokens[text].shape[1]]);
                tokens[text].Dispose();
                tokens[text] = next;
            }
        }

        using var norm = new WeightsOnDemand(
            FinalLayerNorm, () => StateDictLoader.Fill(FinalLayerNorm, weights, "encoder.final_layer_norm.", device, dtype)).Hold();
        return [.. tokens.Select(text => FinalLayerNorm.call(text).MoveToOuterDisposeScope())];
    }

    /// <summary>What all blocks add to their attention scores, <c>[1, N, S, S]</c>.</summary>
    /// <param name="length">Number of tokens, S.</param>
    public Tensor PositionBias(long length)
    {
        using var scope = NewDisposeScope();
        var table = Blocks[0].Attention.SelfAttention.RelativeAttentionBias!;
        return table.call(_buckets.Of(length, table.Weight.device)).permute(2, 0, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    // The table is needed for a few rows: it stays where the file is read to.
    private static List<Tensor> Embed(IReadOnlyList<Tensor> inputIds, ITensorSource weights, Device device, ScalarType dtype)
    {
        using var table = weights.Load("shared.weight", CPU, dtype);
        var rows = new List<Tensor>();
        foreach (var ids in inputIds)
        {
            using var scope = NewDisposeScope();
            var flat = table.index_select(0, ids.cpu().reshape(-1));
            rows.Add(flat.view([.. ids.shape, table.shape[1]]).to(device).MoveToOuterDisposeScope());
        }

        return rows;
    }

    private void LoadBlock(T5Block block, int index, ITensorSource weights, Device device, ScalarType dtype)
    {
        StateDictLoader.Fill(block, weights, BlockName(index), device, dtype);
        WidenOutput(index, weights, device);
    }

    private void WidenOutput(int index, ITensorSource weights, Device device)
    {
        if (Shared.Weight.dtype == ScalarType.Float16)
            Blocks[index].FeedForward.Wo.Assign(
                "weight", weights.Load(BlockName(index) + "layer.1.DenseReluDense.wo.weight", device, ScalarType.Float32));
    }

    private static string BlockName(int index) => $"encoder.block.{index}.";

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _buckets.Dispose();
        base.Dispose(disposing);
    }
}
