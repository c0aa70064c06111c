using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <content>What the denoising begins from: encoded prompts and noise; and what pictures' records say of the models.</content>
public sealed partial class StableDiffusion3Pipeline
{
    private readonly Dictionary<LoraAdapter, Lazy<UsedLora>> _loraOrigins = [];
    private Lazy<ModelOrigin>? _origin;
    private Lazy<string?>? _stamp;

    /// <summary>Which model it is; null where it was not loaded from one place.</summary>
    internal ModelOrigin? Origin => _origin?.Value;

    /// <summary>
    /// What tells its models from any other on this machine, see <see cref="ModelOrigin.StampOf"/>; null where that is not known, or where
    /// a LoRA is loaded.
    /// </summary>
    internal string? Stamp => _adapters.Count == 0 ? _stamp?.Value : null;

    /// <summary>Which LoRA are loaded, with how strongly each acts; one whose file is gone has the hash 0.</summary>
    internal IReadOnlyList<(UsedLora Lora, double Scale)> LoraOrigins =>
        [.. _adapters.Select(adapter => (_loraOrigins[adapter].Value, adapter.Weight))];

    private static UsedLora OriginOf(string path)
    {
        try
        {
            return UsedLora.Of(path);
        }
        catch (LabException)
        {
            return new UsedLora(Path.GetFileName(path), new string('0', 64), 0);
        }
    }

    private (PromptEmbeddings Positive, PromptEmbeddings? Negative) EncodePrompts(GenerationRequest request)
    {
        PreparePrompts([request]);
        using var held = Prompts.Hold();
        var positive = Prompts.Encode(request.Prompts, request.MaxSequenceLength, request.ClipSkip, request.Prompts2, request.Prompts3)
            .RepeatEach(request.NumImagesPerPrompt);
        if (!request.UsesGuidance)
            return (positive, null);
        var texts = Negative(request);
        var negative = Prompts.Encode(texts, request.MaxSequenceLength);
        return (positive,
            negative.RepeatEach(
                texts.Count == request.Prompts.Count ? request.NumImagesPerPrompt : request.Prompts.Count * request.NumImagesPerPrompt));
    }

    private static IReadOnlyList<string> Negative(GenerationRequest request) => request.NegativePrompts ?? [string.Empty];

    /// <summary>The noise that a request starts from, float32, <c>[B, C, h, w]</c>.</summary>
    internal Tensor InitialLatents(GenerationRequest request)
    {
        var (pixelHeight, pixelWidth) = SizeOf(request);
        var (height, width) = LatentSize(pixelHeight, pixelWidth);
        long[] shape = [request.Prompts.Count * request.NumImagesPerPrompt, Transformer.Config.InChannels, height, width];
        if (request.Latents is null)
            return SeededNoise.Normal(shape, request.Seed, Options.Device, ScalarType.Float32);
        return request.Latents.shape.AsSpan().SequenceEqual(shape)
            ? request.Latents.to(ScalarType.Float32, Options.Device).clone()
            : throw new LabException(
                $"The given latents have shape [{string.Join(", ", request.Latents.shape)}]; [{string.Join(", ", shape)}] is needed.");
    }

    /// <summary>Rows and columns of the latents of a picture.</summary>
    /// <param name="askedHeight">Its height in pixels; null for the model's own.</param>
    /// <param name="askedWidth">Its width in pixels; null for the model's own.</param>
    /// <exception cref="LabException">This model cannot make pictures of that size.</exception>
    internal (long Height, long Width) LatentSize(int? askedHeight, int? askedWidth)
    {
        int height = askedHeight ?? DefaultSize, width = askedWidth ?? DefaultSize;
        var largest = Transformer.Config.PosEmbedMaxSize * SizeMultiple;
        if (height % SizeMultiple != 0 || width % SizeMultiple != 0 || height < SizeMultiple || width < SizeMultiple || height > largest
            || width > largest)
            throw new LabException(
                $"Pictures of {width}×{height} pixels cannot be made; width and height must be multiples of {SizeMultiple}, at most "
                + $"{largest}. This model's own size is {DefaultSize}×{DefaultSize}.");
        return (height / Vae.Config.SpatialFactor, width / Vae.Config.SpatialFactor);
    }
}
