using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>What training sees of a picture: its latents mixed with noise, (1 − σ)·latents + σ·noise, decoded for display.</summary>
public static class NoiseLevels
{
    /// <summary>Mixes the same noise into a picture at several levels.</summary>
    /// <param name="pipeline">The models; only the autoencoder is used.</param>
    /// <param name="picture">A picture; resized and cropped to a square of <paramref name="size"/> pixels.</param>
    /// <param name="sigmas">The noise levels, 0 (the picture as the autoencoder gives it back) to 1 (noise alone).</param>
    /// <param name="size">Side in pixels; null for the model's own.</param>
    /// <param name="seed">Seed of the noise.</param>
    /// <returns>A picture for each level.</returns>
    public static IReadOnlyList<NoisyPicture> Show(
        StableDiffusion3Pipeline pipeline, RgbImage picture, IReadOnlyList<double> sigmas, int? size = null, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(sigmas);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var latents = Latents(pipeline, picture, size);
        var noise = SeededNoise.Normal(latents.shape, seed, latents.device, ScalarType.Float32);
        return [.. sigmas.Select(sigma => new NoisyPicture(sigma, Mixed(pipeline, latents, noise, sigma)))];
    }

    /// <summary>A picture's latents, as training sees them.</summary>
    /// <param name="pipeline">The models; only the autoencoder is used.</param>
    /// <param name="picture">A picture; resized and cropped to a square of <paramref name="size"/> pixels.</param>
    /// <param name="size">Side in pixels; null for the model's own.</param>
    /// <returns>float32 on the model's device, <c>[1, C, size/8, size/8]</c>.</returns>
    public static Tensor Latents(StableDiffusion3Pipeline pipeline, RgbImage picture, int? size = null)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        var side = size ?? pipeline.DefaultSize;
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var held = pipeline.HoldVae();
        var square = ImageTransforms.CenterCrop(ImageResizer.ResizeShortSide(picture, side), side, side);
        var pixels = PixelTensors.Stack([square]).to(pipeline.Options.VaeDtype, pipeline.Options.Device);
        using var distribution = pipeline.Vae.Encode(pixels);
        return pipeline.Vae.ScaleLatents(distribution.Mean).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    private static RgbImage Mixed(StableDiffusion3Pipeline pipeline, Tensor latents, Tensor noise, double sigma)
    {
        using var scope = NewDisposeScope();
        var mixed = FlowMatchEulerDiscreteScheduler.ScaleNoise(
            latents, full([1, 1, 1, 1], KeptScalar.Of(sigma), ScalarType.Float32, latents.device), noise);
        return PixelTensors.Unstack(pipeline.Decode(mixed))[0];
    }
}
