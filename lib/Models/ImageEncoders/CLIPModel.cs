using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>A whole CLIP model: its image and its text encoder, whose vectors can be compared.</summary>
internal sealed class CLIPModel : IDisposable
{
    private CLIPModel(CLIPVisionModelWithProjection vision, CLIPTextModelWithProjection text, double logitScale) =>
        (Vision, Text, LogitScale) = (vision, text, logitScale);

    /// <summary>The image encoder.</summary>
    public CLIPVisionModelWithProjection Vision { get; }

    /// <summary>The text encoder.</summary>
    public CLIPTextModelWithProjection Text { get; }

    /// <summary>The logarithm of what a cosine is multiplied by to be a logit.</summary>
    public double LogitScale { get; }

    /// <summary>Loads a published model folder.</summary>
    /// <param name="folder">Has <c>config.json</c> and <c>model.safetensors</c>, whole or in shards.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="LabException">A file is missing or does not fit the configuration.</exception>
    public static CLIPModel Load(string folder, Device device, ScalarType dtype)
    {
        var path = Path.Combine(folder, "config.json");
        var file = JsonField.ReadFile(path);
        var config = file.Get("text_config").To<CLIPTextConfig>();
        if (file.Find("projection_dim") is { } outer)
            config = config with { ProjectionDim = outer.Int() };
        using var weights = Checkpoint.OpenFolder(folder, CLIPVisionModelWithProjection.WeightsName);
        if (!weights.Entries.ContainsKey("logit_scale"))
            throw new LabException($"{weights.Path} has no logit_scale: it holds one half of a CLIP model, and both are needed.");
        using var scale = weights.Load("logit_scale", CPU, ScalarType.Float32);
        var text = new CLIPTextModelWithProjection(config.Checked(path), META, dtype);
        try
        {
            StateDictLoader.Load(text, weights, device, dtype, IsNotOfTheText);
            return new CLIPModel(
                CLIPVisionModelWithProjection.Load(CLIPVisionConfig.Read(path), weights, device, dtype), text, scale.item<float>());
        }
        catch
        {
            text.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Vision.Dispose();
        Text.Dispose();
    }

    private static bool IsNotOfTheText(string name) => name == "logit_scale" || CLIPTextModelWithProjection.IsSuperfluous(name)
        || name.StartsWith("vision_model.", StringComparison.Ordinal) || name.StartsWith("visual_projection.", StringComparison.Ordinal);
}
