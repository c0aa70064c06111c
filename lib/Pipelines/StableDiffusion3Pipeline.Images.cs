using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <content>
/// Image to image and inpainting: diffusers <c>pipeline_stable_diffusion_3_img2img.py</c> and <c>_inpaint.py</c>, commit 58eb52c; decoded
/// with the autoencoder's shift in both (decision 0020).
/// </content>
public sealed partial class StableDiffusion3Pipeline
{
    /// <summary>
    /// Draws the noise of pictures that begin from another one. A seed gives first the noise that the encoding is drawn with, then that of
    /// the first generated picture, the second and so on, as the reference draws them.
    /// </summary>
    /// <param name="request">The request with its picture.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="places">Which of the pictures that are generated from it, rising, from 0.</param>
    /// <returns>Its two tensors of noise are the caller's.</returns>
    internal GenerationRequest DrawStart(GenerationRequest request, ulong seed, int[] places)
    {
        var size = SizeOf(request);
        var (height, width) = LatentSize(size.Height, size.Width);
        long[] shape = [1, Transformer.Config.InChannels, height, width];
        using var generator = new Generator(seed, CPU);
        return request with
        {
            EncodingNoise = SeededNoise.Normal(shape, generator),
            StartNoise = SeededNoise.NormalAt(shape, generator, places),
        };
    }

    // Given latents are taken as they are: without a mask nothing of the picture counts then.
    private ImageStart? StartOf(GenerationRequest request)
    {
        if (request.Image is not { } image || (request.Latents is not null && request.Mask is null))
            return null;
        var (height, width) = SizeOf(request);
        LatentSize(height, width); // refuses sizes that this model cannot make
        using var scope = NewDisposeScope();
        var pixels = PixelTensors.Stack([ImageResizer.Resize(image, width, height, ResizeFilter.Lanczos)]);
        var mask = request.Mask is { } given ? ImageStart.Gray(given, width, height) : null;
        var start = StartOf(request, pixels, mask);
        if (start.Mask?.data<float>().All(level => level == 0) == true)
        {
            throw new LabException(
                $"The mask is black at the pixels that decide, one of each {Vae.Config.SpatialFactor} × {Vae.Config.SpatialFactor}, so "
                + "nothing would be made anew. Paint white what is to change, in larger parts.");
        }

        return new ImageStart(
            start.Latents.MoveToOuterDisposeScope(), start.Noise.MoveToOuterDisposeScope(), start.Mask?.MoveToOuterDisposeScope());
    }

    /// <summary>Encodes pictures to begin from.</summary>
    /// <param name="request">Seed or noise. From a seed comes first the noise that the encoder's distribution is drawn with.</param>
    /// <param name="pixels">−1 … 1, <c>[N, 3, H, W]</c>, N a divisor of the number of pictures B; stays the caller's.</param>
    /// <param name="mask">0 to 1, <c>[1, 1, H, W]</c>, or null; stays the caller's.</param>
    /// <returns>Its tensors are in the caller's dispose scope.</returns>
    internal ImageStart StartOf(GenerationRequest request, Tensor pixels, Tensor? mask)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var held = HoldVae();
        var factor = Vae.Config.SpatialFactor;
        long[] shape = [pixels.shape[0], Transformer.Config.InChannels, pixels.shape[2] / factor, pixels.shape[3] / factor];
        var count = (long)request.Prompts.Count * request.NumImagesPerPrompt;
        using var generator = new Generator(request.Seed, CPU);
        using var distribution = Vae.Encode(pixels.to(Options.VaeDtype, Options.Device));
        var drawn = request.EncodingNoise ?? SeededNoise.Normal(shape, generator);
        var noise = request.Latents ?? request.StartNoise ?? SeededNoise.Normal([count, .. shape[1..]], generator);
        var latents = Vae.ScaleLatents(distribution.Sample(drawn.to(Options.Device))).to(ScalarType.Float32);
        return new ImageStart(
            latents.repeat(count / latents.shape[0], 1, 1, 1).MoveToOuterDisposeScope(),
            noise.to(ScalarType.Float32, Options.Device).alias().MoveToOuterDisposeScope(),
            mask is null ? null : ImageStart.MaskOf(mask.to(Options.Device), factor).MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Height and width in pixels of what a request gives. With a picture to begin from, and neither asked for: about the model's own area
    /// in the picture's shape.
    /// </summary>
    internal (int Height, int Width) SizeOf(GenerationRequest request)
    {
        if (request is not { Image: { } image, Height: null, Width: null })
            return (request.Height ?? DefaultSize, request.Width ?? DefaultSize);
        var scale = DefaultSize / Math.Sqrt((double)image.Width * image.Height);
        var most = Transformer.Config.PosEmbedMaxSize;
        int Side(int pixels) => (int)Math.Clamp(Math.Round(pixels * scale / SizeMultiple), 1, most) * SizeMultiple;
        return (Side(image.Height), Side(image.Width));
    }
}
