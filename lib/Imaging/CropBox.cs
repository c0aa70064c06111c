using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Imaging;

/// <summary>A rectangle of a picture, in pixels from its top left corner.</summary>
/// <param name="Left">First column; negative when the rectangle begins outside.</param>
/// <param name="Top">First row; negative when the rectangle begins outside.</param>
/// <param name="Width">Columns, at least 1.</param>
/// <param name="Height">Rows, at least 1.</param>
public readonly record struct CropBox(int Left, int Top, int Width, int Height)
{
    /// <summary>
    /// The middle of a picture as torchvision's <c>CenterCrop</c> takes it: an odd remainder of 1, 5, 9, … goes to the right and
    /// below, of 3, 7, … to the left and above (Python rounds halves to even); where the picture is smaller than the
    /// rectangle, the padding before it is the smaller half.
    /// </summary>
    /// <param name="imageWidth">Pixels in a row of the picture.</param>
    /// <param name="imageHeight">Rows of the picture.</param>
    /// <param name="width">Pixels in a row of the rectangle.</param>
    /// <param name="height">Rows of the rectangle.</param>
    public static CropBox Center(int imageWidth, int imageHeight, int width, int height) =>
        new(CenterOffset(imageWidth, width), CenterOffset(imageHeight, height), width, height);

    /// <summary>
    /// A random place for the rectangle, uniform over all that lie inside the picture, as torchvision's <c>RandomCrop</c>.
    /// </summary>
    /// <param name="imageWidth">Pixels in a row of the picture.</param>
    /// <param name="imageHeight">Rows of the picture.</param>
    /// <param name="width">Pixels in a row of the rectangle.</param>
    /// <param name="height">Rows of the rectangle.</param>
    /// <param name="draw">Given n, returns an integer in 0 … n − 1; asked for the top first, then for the left.</param>
    /// <exception cref="LabException">The rectangle is larger than the picture.</exception>
    public static CropBox Random(int imageWidth, int imageHeight, int width, int height, Func<int, int> draw)
    {
        ArgumentNullException.ThrowIfNull(draw);
        if (width > imageWidth || height > imageHeight)
            throw new LabException($"A crop of {width}x{height} pixels does not fit into a picture of {imageWidth}x{imageHeight}.");
        var top = draw(imageHeight - height + 1);
        return new CropBox(draw(imageWidth - width + 1), top, width, height);
    }

    private static int CenterOffset(int image, int crop) =>
        crop > image ? -((crop - image) / 2) : (int)Math.Round((image - crop) / 2.0, MidpointRounding.ToEven);
}
