using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// What image to image and inpainting begin from. Letters: B pictures, C latent channels, h and w of the latents, f the autoencoder's
/// factor between pixels and latents.
/// </summary>
/// <param name="Latents">The picture's, as the transformer sees them, float32, <c>[B, C, h, w]</c>.</param>
/// <param name="Noise">What is mixed in, float32, of the same shape.</param>
/// <param name="Mask">1 where the picture is made anew, 0 where it is kept, float32, <c>[1, 1, h, w]</c>; null for everywhere.</param>
internal sealed record ImageStart(Tensor Latents, Tensor Noise, Tensor? Mask)
{
    /// <summary>From which level of gray on a mask counts as white: half, as the reference has it.</summary>
    private const double Half = 0.5;

    /// <summary>The picture at a noise level: (1 − σ) · latents + σ · noise.</summary>
    /// <param name="sigma">σ, 0 to 1.</param>
    public Tensor At(double sigma)
    {
        using var scope = NewDisposeScope();
        using var level = KeptScalar.Once(sigma);
        return FlowMatchEulerDiscreteScheduler.ScaleNoise(Latents, full([1, 1, 1, 1], level, ScalarType.Float32, Latents.device), Noise)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Puts the picture back where the mask keeps it, after a step.</summary>
    /// <param name="latents">The latents after the step, <c>[B, C, h, w]</c>.</param>
    /// <param name="sigma">Their noise level; 0 after the last step, so that what is kept is the picture's own.</param>
    public Tensor Keep(Tensor latents, double sigma)
    {
        if (Mask is null)
            return latents;
        using var scope = NewDisposeScope();
        var kept = At(sigma);
        return kept.add(Mask.mul(latents.to(ScalarType.Float32).sub(kept)), KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <summary>A mask for the latents: black or white at full size, then the pixel nearest to each latent.</summary>
    /// <param name="mask">0 to 1, 1 where the picture is made anew, float32, <c>[1, 1, H, W]</c>.</param>
    /// <param name="factor">f.</param>
    /// <returns>0 or 1, float32, <c>[1, 1, H / f, W / f]</c>.</returns>
    public static Tensor MaskOf(Tensor mask, long factor)
    {
        using var scope = NewDisposeScope();
        var nearest = mask.slice(2, 0, mask.shape[2], factor).slice(3, 0, mask.shape[3], factor);
        return nearest.ge(KeptScalar.Of(Half)).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>A mask's pixels: resized in colour, then gray as PIL's <c>convert("L")</c> has it.</summary>
    /// <param name="mask">Any picture; white where it is made anew.</param>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <returns>0 to 1, float32 on the CPU, <c>[1, 1, H, W]</c>.</returns>
    public static Tensor Gray(RgbImage mask, int width, int height)
    {
        var pixels = ImageResizer.Resize(mask, width, height, ResizeFilter.Lanczos).Pixels;
        var values = new float[width * height];
        for (int i = 0, at = 0; i < values.Length; i++, at += 3)
            values[i] = (((pixels[at] * 19595) + (pixels[at + 1] * 38470) + (pixels[at + 2] * 7471) + 0x8000) >> 16) / 255f;
        return tensor(values, [1, 1, height, width]);
    }
}
