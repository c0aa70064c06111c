using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>An image encoder with its preprocessing, as a published model folder holds them. Letters: B pictures, E width.</summary>
internal sealed class ImageEmbedder : IDisposable
{
    private readonly IImageEncoder _model;
    private readonly Device _device;
    private readonly ScalarType _dtype;

    private ImageEmbedder(IImageEncoder model, ImageProcessor processor, Device device, ScalarType dtype) =>
        (_model, Processor, _device, _dtype) = (model, processor, device, dtype);

    /// <summary>Whether the model is CLIP's image encoder.</summary>
    public bool IsClip => _model is CLIPVisionModelWithProjection;

    /// <summary>Pictures to pixels.</summary>
    public ImageProcessor Processor { get; }

    /// <summary>The module whose parameters are the model's weights.</summary>
    public nn.Module Module => _model.Module;

    /// <summary>Loads a folder of CLIP, DINO or DINOv2.</summary>
    /// <param name="folder">Has <c>config.json</c>, <c>preprocessor_config.json</c> and <c>model.safetensors</c>.</param>
    /// <param name="protocol">How pictures are prepared.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="dtype">In which type.</param>
    /// <param name="onDemand">Whether the weights stay in their file: the files are checked, and the caller loads and frees them.</param>
    /// <exception cref="LabException">A file is missing or does not fit, or the folder holds another model.</exception>
    public static ImageEmbedder Load(string folder, ImageProtocol protocol, Device device, ScalarType dtype, bool onDemand = false)
    {
        var place = onDemand ? META : device;
        var path = Path.Combine(folder, "config.json");
        var processor = ImageProcessor.Load(folder, protocol);
        IImageEncoder model = JsonField.ReadFile(path).Get("model_type").Text() switch
        {
            "clip" or "clip_vision_model" => CLIPVisionModelWithProjection.Load(folder, place, dtype),
            "vit" or "dinov2" or "dinov2_with_registers" => ViTModel.Load(folder, place, dtype),
            var other => throw new LabException($"{path}: model_type is '{ShownText.Line(other)}'; valid values are clip, "
                + "clip_vision_model, vit, dinov2 and dinov2_with_registers."),
        };
        return new ImageEmbedder(model, processor, device, dtype);
    }

    /// <summary>Puts a loaded model and its preprocessing together.</summary>
    /// <param name="model">The model; it is freed with this.</param>
    /// <param name="processor">Makes its input.</param>
    /// <param name="device">Where the model is.</param>
    /// <param name="dtype">Its element type.</param>
    public static ImageEmbedder Of(IImageEncoder model, ImageProcessor processor, Device device, ScalarType dtype) =>
        new(model, processor, device, dtype);

    /// <summary>Encodes pictures.</summary>
    /// <param name="images">B pictures of any sizes, at least one.</param>
    /// <returns>float32 on the CPU, <c>[B, E]</c>, not normalised; the caller's.</returns>
    public Tensor Encode(IReadOnlyList<RgbImage> images)
    {
        using var pixels = Processor.Stack(images);
        return Encode(pixels);
    }

    /// <summary>Encodes pictures that <see cref="Processor"/> has prepared.</summary>
    /// <param name="pixels">float32, <c>[B, 3, H, W]</c>; stays the caller's.</param>
    /// <returns>float32 on the CPU, <c>[B, E]</c>, not normalised; the caller's.</returns>
    public Tensor Encode(Tensor pixels)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        return _model.forward(pixels.to(_dtype, _device)).Embedding.to(ScalarType.Float32, CPU).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}
