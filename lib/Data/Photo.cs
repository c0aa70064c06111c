using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Data;

/// <summary>One photo of a <see cref="PhotoReview"/>.</summary>
/// <param name="File">The file.</param>
/// <param name="Crop">What the centre crop of training keeps, in pixels of the photo resized to the training resolution.</param>
/// <param name="Kept">The part of the photo's area that the crop keeps, 0 to 1.</param>
/// <param name="Sharpness">Variance of the Laplacian at the training resolution; see <see cref="Imaging.Sharpness"/>.</param>
/// <param name="Hash">Fingerprint of its looks.</param>
/// <param name="Remarks">What may harm training, a phrase each; empty for a good photo.</param>
public sealed record Photo(
    PictureFile File, CropBox Crop, double Kept, double Sharpness, DifferenceHash Hash, IReadOnlyList<string> Remarks)
{
    /// <summary>The file's name.</summary>
    public string Name => Path.GetFileName(File.Path);
}
