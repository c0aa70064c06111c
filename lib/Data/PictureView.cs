using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>What training sees of a picture: after resizing, mirrored or not, then cropped.</summary>
/// <param name="Path">The picture's file.</param>
/// <param name="Flip">Whether it is mirrored left to right before the crop.</param>
/// <param name="Crop">The rectangle that is cut out, in pixels of the resized (and mirrored) picture.</param>
public readonly record struct PictureView(string Path, bool Flip, CropBox Crop)
{
    /// <summary>The size that the whole picture is resized to before.</summary>
    internal PictureSize ResizedTo { get; init; }
}
