using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>A model that makes one vector of a picture. Letters: B pictures, H and W their sides in pixels.</summary>
internal interface IImageEncoder : IDisposable
{
    /// <summary>Side of a patch, in pixels: the sides of a picture are multiples of it.</summary>
    int PatchSize { get; }

    /// <summary>The module whose parameters are the weights.</summary>
    nn.Module Module { get; }

    /// <summary>Encodes.</summary>
    /// <param name="pixelValues">
    /// <c>[B, 3, H, W]</c>, normalised as the model's <see cref="ImageProcessor"/> does; on the model's device and of its element type.
    /// </param>
    /// <param name="outputHiddenStates">Whether all tokens before and after every layer are kept.</param>
    /// <returns>The encoded pictures; the caller's.</returns>
    /// <exception cref="ArgumentException">The pixels have another shape.</exception>
    ImageEncoderOutput forward(Tensor pixelValues, bool outputHiddenStates = false);
}
