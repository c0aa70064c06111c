using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// The bridge between pictures and tensors; the only torch code of this floor. Values are those of <see cref="PixelValues"/>.
/// </summary>
internal static class PixelTensors
{
    /// <summary>Stacks pictures of one size.</summary>
    /// <param name="images">B pictures, at least one.</param>
    /// <returns>float32 on the CPU, [B, 3, H, W], in [−1, 1]; the caller disposes it.</returns>
    /// <exception cref="LabException">There is no picture, or their sizes differ.</exception>
    public static Tensor Stack(IReadOnlyList<RgbImage> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Count == 0)
            throw new LabException("No pictures to stack: at least one is needed.");
        int width = images[0].Width, height = images[0].Height;
        var values = new float[images.Count * 3 * width * height];
        for (var i = 0; i < images.Count; i++)
        {
            if (images[i].Width != width || images[i].Height != height)
                throw new LabException(
                    $"Pictures of one batch must have one size: the first has {width}x{height} pixels, number {i + 1} has "
                    + $"{images[i].Width}x{images[i].Height}.");
            PixelValues.FromImage(images[i]).CopyTo(values, i * 3 * width * height);
        }

        return tensor(values, [images.Count, 3, height, width]);
    }

    /// <summary>The pictures in a batch.</summary>
    /// <param name="pixels">[B, 3, H, W] or [3, H, W], in [−1, 1], any floating dtype and device; stays the caller's.</param>
    /// <returns>B pictures.</returns>
    /// <exception cref="LabException">The shape is another.</exception>
    public static IReadOnlyList<RgbImage> Unstack(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.dim() is not (3 or 4) || pixels.shape[^3] != 3)
            throw new LabException(
                $"Pictures come as [B, 3, H, W] or [3, H, W], but the tensor has shape [{string.Join(", ", pixels.shape)}].");
        using var scope = NewDisposeScope();
        var batch = pixels.detach().to(float32).cpu().contiguous();
        var values = batch.data<float>().ToArray();
        int height = (int)pixels.shape[^2], width = (int)pixels.shape[^1], size = 3 * height * width;
        return [.. Enumerable.Range(0, values.Length / size)
            .Select(i => PixelValues.ToImage(values.AsSpan(i * size, size), width, height))];
    }
}
