using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// The multimodal diffusion transformer of Stable Diffusion 3 (Esser et al. 2024, arXiv:2403.03206): SD3-medium,
/// SD3.5-medium (dual attention on the first blocks) and SD3.5-large. Parameter names are the published ones
/// (diffusers <c>models/transformers/transformer_sd3.py</c>, commit 58eb52c).
/// Letters: B rows, C latent channels, H and W of the latents, S image tokens, L text tokens, D width.
/// </summary>
public sealed class SD3Transformer2DModel : nn.Module
{
    /// <summary>The base name of the published weights file.</summary>
    public const string WeightsName = "diffusion_pytorch_model";

    private const string BlocksName = "transformer_blocks";

    private StreamedBlocks? _streamed;

    /// <summary>Declares the layers; weights are loaded afterwards.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public SD3Transformer2DModel(SD3TransformerConfig config, Device device, ScalarType dtype)
        : base(nameof(SD3Transformer2DModel))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var width = config.InnerDim;
        PosEmbed = new PatchEmbed(config.InChannels, width, config.PatchSize, config.PosEmbedMaxSize, device, dtype);
        TimeTextEmbed = new CombinedTimestepTextProjEmbeddings(config.PooledProjectionDim, width, device, dtype);
        ContextEmbedder = new LoraLinear(config.JointAttentionDim, config.CaptionProjectionDim, true, device, dtype);
        TransformerBlocks = nn.ModuleList(
            Enumerable.Range(0, config.NumLayers).Select(i => new JointTransformerBlock(config, i, device, dtype)).ToArray());
        NormOut = new AdaLayerNormContinuous(width, device, dtype);
        ProjOut = new LoraLinear(
            width, config.PatchSize * config.PatchSize * (config.OutChannels ?? config.InChannels), true, device, dtype);
        RegisterComponents();
    }

    /// <summary>
    /// Loads a published model folder: <c>config.json</c> and <c>diffusion_pytorch_model.safetensors</c>, whole or in shards.
    /// </summary>
    /// <param name="folder">The folder, usually <c>transformer</c>.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="variant">The variant of the files that is preferred, as <c>fp16</c>, or null.</param>
    /// <exception cref="Foundation.LabException">A file is missing or does not fit the configuration.</exception>
    public static SD3Transformer2DModel Load(string folder, Device device, ScalarType dtype, string? variant = null)
    {
        using var checkpoint = Checkpoint.OpenFolder(folder, WeightsName, variant);
        return Load(SD3TransformerConfig.Read(Path.Combine(folder, "config.json")), checkpoint, device, dtype);
    }

    /// <summary>Loads weights under the published names from anywhere.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights, which stay the caller's.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">The weights do not fit the configuration.</exception>
    public static SD3Transformer2DModel Load(SD3TransformerConfig config, ITensorSource weights, Device device, ScalarType dtype) =>
        Load(config, weights, device, dtype, quantized: false);

    /// <summary>The same, with the blocks' products in 8 bits where asked for.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights, which stay the caller's.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="quantized">See <see cref="Quantize"/>.</param>
    /// <exception cref="Foundation.LabException">The weights do not fit the configuration, or the device has no such products.</exception>
    internal static SD3Transformer2DModel Load(
        SD3TransformerConfig config, ITensorSource weights, Device device, ScalarType dtype, bool quantized)
    {
        var model = new SD3Transformer2DModel(config, META, dtype);
        if (quantized)
            model.Quantize(device);
        StateDictLoader.Load(model, weights, device, dtype);
        return model;
    }

    /// <summary>
    /// Loads all but the blocks, which are loaded one by one in every forward and freed behind it: for devices that do not hold them all,
    /// and for inference only.
    /// </summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights; they stay the caller's and must outlive the model.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">The weights do not fit the configuration.</exception>
    public static SD3Transformer2DModel LoadStreamed(
        SD3TransformerConfig config, ITensorSource weights, Device device, ScalarType dtype) =>
        LoadStreamed(config, weights, device, dtype, 0);

    /// <summary>The same, where some of the blocks stay.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights; they stay the caller's and must outlive the model.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="resident">How many blocks stay.</param>
    /// <param name="quantized">See <see cref="Quantize"/>.</param>
    internal static SD3Transformer2DModel LoadStreamed(
        SD3TransformerConfig config, ITensorSource weights, Device device, ScalarType dtype, int resident, bool quantized = false)
    {
        var model = new SD3Transformer2DModel(config, META, dtype);
        if (quantized)
            model.Quantize(device);
        StateDictLoader.Check(model, weights);
        foreach (var (name, part) in model.named_children().Where(child => child.name != BlocksName))
            StateDictLoader.Fill(part, weights, name + ".", device, dtype);
        model._streamed = new StreamedBlocks(
            [.. model.TransformerBlocks], resident, device,
            (i, place) => StateDictLoader.Fill(model.TransformerBlocks[i], weights, $"{BlocksName}.{i}.", place, dtype));
        return model;
    }

    /// <summary>
    /// Whether the blocks are loaded one by one; see <see cref="LoadStreamed(SD3TransformerConfig, ITensorSource, Device, ScalarType)"/>.
    /// </summary>
    public bool IsStreamed => _streamed is not null;

    /// <summary>Whether a layer is one of the blocks' large products, which <see cref="Quantize"/> means.</summary>
    /// <param name="path">The layer's path in the model.</param>
    internal static bool IsQuantizable(string path) =>
        path.Split('.') is [BlocksName, _, "attn" or "attn2" or "ff" or "ff_context", ..];

    /// <summary>
    /// Brings the projections of attention and both layers of the feed-forwards into 8-bit floating point, as their weights are assigned or
    /// at once where they are there. Embeddings, modulation and output keep their precision.
    /// </summary>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="Foundation.LabException">The device has no such products, or the model's width does not fit them.</exception>
    internal void Quantize(Device device)
    {
        if (Float8Rows.Refusal(device) is { } refusal)
            throw new Foundation.LabException($"quantization fp8 is not possible on {device}: {refusal}.");
        if (device.type == TorchSharp.DeviceType.CUDA && Config.InnerDim % Float8Rows.SideMultiple != 0)
        {
            throw new Foundation.LabException(
                $"quantization fp8 is not possible: the transformer's width is {Config.InnerDim}, and products in fp8 on CUDA need a "
                + $"multiple of {Float8Rows.SideMultiple}.");
        }

        foreach (var (_, layer) in named_modules().Where(entry => IsQuantizable(entry.name)))
            (layer as LoraLinear)?.Quantize();
    }

    /// <summary>Whether attention is being recorded: a replayed CUDA graph would skip that.</summary>
    internal bool IsObserved => TransformerBlocks.Any(block => block.Attn.HeadsObserver is not null);

    /// <summary>Sizes.</summary>
    public SD3TransformerConfig Config { get; }

    /// <summary>Latents to image tokens.</summary>
    [field: ComponentName(Name = "pos_embed")]
    public PatchEmbed PosEmbed { get; }

    /// <summary>Timestep and pooled text to the conditioning vector.</summary>
    [field: ComponentName(Name = "time_text_embed")]
    public CombinedTimestepTextProjEmbeddings TimeTextEmbed { get; }

    /// <summary>Text embeddings to text tokens.</summary>
    [field: ComponentName(Name = "context_embedder")]
    public LoraLinear ContextEmbedder { get; }

    /// <summary>The blocks.</summary>
    [field: ComponentName(Name = BlocksName)]
    public ModuleList<JointTransformerBlock> TransformerBlocks { get; }

    /// <summary>Modulation of the output.</summary>
    [field: ComponentName(Name = "norm_out")]
    public AdaLayerNormContinuous NormOut { get; }

    /// <summary>Image tokens to patches of the prediction.</summary>
    [field: ComponentName(Name = "proj_out")]
    public LoraLinear ProjOut { get; }

    /// <summary>Predicts the flow (noise minus latents) at a noise level.</summary>
    /// <param name="latents">Noisy latents, <c>[B, C, H, W]</c>; H and W multiples of the patch side.</param>
    /// <param name="timestep">sigma × 1000, <c>[B]</c>, float32.</param>
    /// <param name="promptEmbeds">Text embeddings, <c>[B or 1, L, joint attention width]</c>.</param>
    /// <param name="pooledPromptEmbeds">Pooled text, <c>[B or 1, pooled width]</c>.</param>
    /// <param name="skipLayers">Indices of blocks that are left out (skip-layer guidance), or null.</param>
    /// <returns>The prediction, <c>[B, C, H, W]</c>.</returns>
    public Tensor forward(
        Tensor latents, Tensor timestep, Tensor promptEmbeds, Tensor pooledPromptEmbeds, IReadOnlyCollection<int>? skipLayers = null)
    {
        using var scope = NewDisposeScope();
        var (image, text, conditioning) = Embed(latents, timestep, promptEmbeds, pooledPromptEmbeds);
        image = RunBlocks(image, text, conditioning, skipLayers);
        return Project(image, conditioning, latents.shape[2], latents.shape[3]).MoveToOuterDisposeScope();
    }

    /// <summary>The same as <see cref="forward"/>, with what the blocks together have added to the image tokens.</summary>
    /// <param name="latents">Noisy latents, <c>[B, C, H, W]</c>.</param>
    /// <param name="timestep">sigma × 1000, <c>[B]</c>, float32.</param>
    /// <param name="text">Text embeddings, <c>[B or 1, L, joint attention width]</c>.</param>
    /// <param name="pooled">Pooled text, <c>[B or 1, pooled width]</c>.</param>
    /// <returns>The prediction, <c>[B, C, H, W]</c>, and the residual, <c>[B, S, D]</c>.</returns>
    internal (Tensor Prediction, Tensor Residual) ForwardWithResidual(Tensor latents, Tensor timestep, Tensor text, Tensor pooled)
    {
        using var scope = NewDisposeScope();
        var (image, embedded, conditioning) = Embed(latents, timestep, text, pooled);
        var before = image.alias();
        image = RunBlocks(image, embedded, conditioning, null);
        var prediction = Project(image, conditioning, latents.shape[2], latents.shape[3]);
        return (prediction.MoveToOuterDisposeScope(), (image - before).MoveToOuterDisposeScope());
    }

    /// <summary>A prediction whose blocks do not run: what they add is given.</summary>
    /// <param name="latents">Noisy latents, <c>[B, C, H, W]</c>.</param>
    /// <param name="timestep">sigma × 1000, <c>[B]</c>, float32.</param>
    /// <param name="pooled">Pooled text, <c>[B or 1, pooled width]</c>.</param>
    /// <param name="residual">What the blocks are taken to add, <c>[B, S, D]</c>.</param>
    /// <returns>The prediction, <c>[B, C, H, W]</c>.</returns>
    internal Tensor ForwardFromResidual(Tensor latents, Tensor timestep, Tensor pooled, Tensor residual)
    {
        using var scope = NewDisposeScope();
        var image = PosEmbed.call(latents).add(residual, KeptScalar.One);
        return Project(image, TimeTextEmbed.call(timestep, pooled), latents.shape[2], latents.shape[3]).MoveToOuterDisposeScope();
    }

    /// <summary>What the first block sees: image tokens, text tokens, conditioning.</summary>
    internal (Tensor Image, Tensor Text, Tensor Conditioning) Embed(
        Tensor latents, Tensor timestep, Tensor promptEmbeds, Tensor pooledPromptEmbeds) =>
        (PosEmbed.call(latents), ContextEmbedder.call(promptEmbeds), TimeTextEmbed.call(timestep, pooledPromptEmbeds));

    /// <summary>The last block's image tokens to the prediction.</summary>
    internal Tensor Project(Tensor image, Tensor conditioning, long height, long width)
    {
        using var scope = NewDisposeScope();
        return Unpatchify(ProjOut.call(NormOut.call(image, conditioning)), height, width).MoveToOuterDisposeScope();
    }

    // Frees both inputs.
    private Tensor RunBlocks(Tensor image, Tensor embedded, Tensor conditioning, IReadOnlyCollection<int>? skipLayers)
    {
        Tensor? text = embedded;
        for (var i = 0; i < TransformerBlocks.Count; i++)
        {
            if (skipLayers is not null && skipLayers.Contains(i))
                continue;
            using var weights = _streamed?.Hold(i);
            var (nextImage, nextText) = TransformerBlocks[i].call(image, text!, conditioning);
            image.Dispose();
            text!.Dispose();
            (image, text) = (nextImage, nextText);
        }

        return image;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _streamed?.Dispose();
        base.Dispose(disposing);
    }

    private Tensor Unpatchify(Tensor patches, long height, long width)
    {
        long side = Config.PatchSize, rows = height / side, columns = width / side;
        return patches.view(patches.shape[0], rows, columns, side, side, -1)
            .permute(0, 5, 1, 3, 2, 4)
            .reshape(patches.shape[0], -1, height, width);
    }
}
