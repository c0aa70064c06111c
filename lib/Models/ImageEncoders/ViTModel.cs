using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// The image encoders of DINO (Caron et al. 2021, arXiv:2104.14294), DINOv2 (Oquab et al. 2023, arXiv:2304.07193) and DINOv2 with registers
/// (Darcet et al. 2023, arXiv:2309.16588). A picture's vector is the class token after the final norm. Parameter names are the published
/// ones (transformers 5.17 <c>models/vit</c>, <c>models/dinov2</c>, <c>models/dinov2_with_registers</c>).
/// </summary>
internal sealed class ViTModel : nn.Module, IImageEncoder
{
    /// <summary>The base name of the published weights file.</summary>
    public const string WeightsName = "model";

    [ComponentName(Name = "encoder")]
    private readonly ModuleDict<ModuleList<nn.Module<Tensor, long, Tensor>>> _encoder;

    /// <summary>Declares the layers; weights are loaded afterwards.</summary>
    /// <param name="config">Form and sizes.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public ViTModel(ViTConfig config, Device device, ScalarType dtype)
        : base(nameof(ViTModel))
    {
        Config = config;
        Embeddings = new ViTEmbeddings(config, device, dtype);
        nn.Module<Tensor, long, Tensor> Layer() =>
            config.IsDinov2 ? new Dinov2Layer(config, device, dtype) : new ViTLayer(config, device, dtype);
        _encoder = nn.ModuleDict(("layer", nn.ModuleList(Enumerable.Range(0, config.NumHiddenLayers).Select(_ => Layer()).ToArray())));
        LayerNorm = new Layers.LayerNorm(config.HiddenSize, config.Epsilon, device, dtype);
        RegisterComponents();
    }

    /// <summary>Loads a published model folder: <c>config.json</c> and <c>model.safetensors</c>, whole or in shards.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">A file is missing or does not fit the configuration.</exception>
    public static ViTModel Load(string folder, Device device, ScalarType dtype)
    {
        using var weights = Checkpoint.OpenFolder(folder, WeightsName);
        var model = new ViTModel(ViTConfig.Read(Path.Combine(folder, "config.json")), META, dtype);
        try
        {
            StateDictLoader.Load(model, weights, device, dtype, IsSuperfluous);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file may hold a tensor that is not needed: what masks patches in training, and a pooler.</summary>
    /// <param name="name">The tensor's name.</param>
    public static bool IsSuperfluous(string name) => name is "embeddings.mask_token" or "pooler.dense.weight" or "pooler.dense.bias";

    /// <summary>Form and sizes.</summary>
    public ViTConfig Config { get; }

    /// <inheritdoc/>
    public int PatchSize => Config.PatchSide;

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <summary>Pixels to tokens.</summary>
    [field: ComponentName(Name = "embeddings")]
    public ViTEmbeddings Embeddings { get; }

    /// <summary>Norm after the last layer.</summary>
    [field: ComponentName(Name = "layernorm")]
    public Layers.LayerNorm LayerNorm { get; }

    /// <inheritdoc/>
    public ImageEncoderOutput forward(Tensor pixelValues, bool outputHiddenStates = false)
    {
        PatchGrid.Check(pixelValues, PatchSize);
        using var scope = NewDisposeScope();
        Func<Tensor, long, Tensor>[] layers = [.. _encoder["layer"].Select(layer => (Func<Tensor, long, Tensor>)layer.call)];
        var (tokens, hidden) = LayerStack.Run(Embeddings.call(pixelValues), layers, outputHiddenStates);
        var last = LayerNorm.call(tokens);
        return new ImageEncoderOutput(
            last.select(1, 0).clone().MoveToOuterDisposeScope(), last.MoveToOuterDisposeScope(),
            [.. hidden.Select(state => state.MoveToOuterDisposeScope())]);
    }
}
