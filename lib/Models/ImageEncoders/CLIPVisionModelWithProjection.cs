using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// The CLIP image encoder with its projection (Radford et al. 2021, arXiv:2103.00020). Parameter names are the published ones
/// (transformers 5.17 <c>models/clip/modeling_clip.py</c>). Letters: B pictures, P projected width.
/// </summary>
internal sealed class CLIPVisionModelWithProjection : nn.Module, IImageEncoder
{
    /// <summary>The base name of the published weights file.</summary>
    public const string WeightsName = "model";

    /// <summary>Declares the layers; weights are loaded afterwards.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CLIPVisionModelWithProjection(CLIPVisionConfig config, Device device, ScalarType dtype)
        : base(nameof(CLIPVisionModelWithProjection))
    {
        Config = config;
        VisionModel = new CLIPVisionTransformer(config, device, dtype);
        VisualProjection = new LoraLinear(config.HiddenSize, config.ProjectionDim, false, device, dtype);
        RegisterComponents();
    }

    /// <summary>Loads a published model folder, of an image encoder or of a whole CLIP model.</summary>
    /// <param name="folder">Has <c>config.json</c> and <c>model.safetensors</c>, whole or in shards.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">A file is missing or does not fit the configuration.</exception>
    public static CLIPVisionModelWithProjection Load(string folder, Device device, ScalarType dtype)
    {
        using var weights = Checkpoint.OpenFolder(folder, WeightsName);
        return Load(CLIPVisionConfig.Read(Path.Combine(folder, "config.json")), weights, device, dtype);
    }

    /// <summary>Loads weights under the published names from anywhere.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights, which stay the caller's.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">The weights do not fit the configuration.</exception>
    public static CLIPVisionModelWithProjection Load(CLIPVisionConfig config, ITensorSource weights, Device device, ScalarType dtype)
    {
        var model = new CLIPVisionModelWithProjection(config, META, dtype);
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

    /// <summary>
    /// Whether a file may hold a tensor that is not needed: the text half of a whole CLIP model, old files' place numbers.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    public static bool IsSuperfluous(string name) => name is "logit_scale" or "vision_model.embeddings.position_ids"
        || name.StartsWith("text_model.", StringComparison.Ordinal) || name.StartsWith("text_projection.", StringComparison.Ordinal);

    /// <summary>Sizes.</summary>
    public CLIPVisionConfig Config { get; }

    /// <inheritdoc/>
    public int PatchSize => Config.PatchSize;

    /// <inheritdoc/>
    public nn.Module Module => this;

    /// <summary>The encoder.</summary>
    [field: ComponentName(Name = "vision_model")]
    public CLIPVisionTransformer VisionModel { get; }

    /// <summary>A picture to the space shared with texts.</summary>
    [field: ComponentName(Name = "visual_projection")]
    public LoraLinear VisualProjection { get; }

    /// <inheritdoc/>
    public ImageEncoderOutput forward(Tensor pixelValues, bool outputHiddenStates = false)
    {
        PatchGrid.Check(pixelValues, PatchSize);
        var encoded = VisionModel.forward(pixelValues, outputHiddenStates);
        using var pooled = encoded.Embedding;
        return encoded with { Embedding = VisualProjection.call(pooled) };
    }
}
