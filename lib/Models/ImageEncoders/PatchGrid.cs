using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>Pixels that can be cut into patches.</summary>
internal static class PatchGrid
{
    /// <summary>Refuses pixels of another shape than <c>[B, 3, H, W]</c>, H and W multiples of a patch's side.</summary>
    /// <param name="pixelValues">The pixels.</param>
    /// <param name="patchSize">The side of a patch.</param>
    /// <exception cref="ArgumentException">The shape is another.</exception>
    public static void Check(Tensor pixelValues, int patchSize)
    {
        ArgumentNullException.ThrowIfNull(pixelValues);
        if (pixelValues.shape is [_, 3, > 0 and var height, > 0 and var width] && height % patchSize == 0 && width % patchSize == 0)
            return;
        throw new ArgumentException(
            $"Pixels have shape [{string.Join(", ", pixelValues.shape)}]; [B, 3, H, W] is needed, H and W multiples of {patchSize}.",
            nameof(pixelValues));
    }
}
