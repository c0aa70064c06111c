namespace Dreambooth.Lab.Imaging;

/// <summary>Moves pixels without changing them: orientation, mirroring and crops, each giving a new picture.</summary>
internal static class ImageTransforms
{
    /// <summary>Turns the stored pixels upright, as PIL's <c>ImageOps.exif_transpose</c>.</summary>
    /// <param name="image">The picture as stored in its file.</param>
    /// <param name="orientation">What must be done to it.</param>
    /// <returns>The upright picture; the same object when it is upright already.</returns>
    public static RgbImage Orient(RgbImage image, ExifOrientation orientation)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (orientation == ExifOrientation.Upright)
            return image;
        var upright = new UprightPicture(image.Width, image.Height, orientation);
        for (var y = 0; y < image.Height; y++)
        {
            image.Row(y).CopyTo(upright.Row(y));
            upright.Place(y);
        }

        return upright.Image;
    }

    /// <summary>Mirrors left to right, as torchvision's <c>hflip</c>.</summary>
    /// <param name="image">Any picture.</param>
    public static RgbImage FlipHorizontally(RgbImage image) => Orient(image, ExifOrientation.Mirror);

    /// <summary>Cuts out a rectangle, as torchvision's <c>crop</c>: where it reaches outside the picture the result is black.</summary>
    /// <param name="image">Any picture.</param>
    /// <param name="box">The rectangle in pixels; it may lie partly or wholly outside.</param>
    public static RgbImage Crop(RgbImage image, CropBox box)
    {
        ArgumentNullException.ThrowIfNull(image);
        var result = new RgbImage(box.Width, box.Height);
        var left = Math.Max(box.Left, 0);
        var right = Math.Min(box.Left + box.Width, image.Width);
        for (var y = Math.Max(0, -box.Top); y < Math.Min(box.Height, image.Height - box.Top) && left < right; y++)
            image.Row(box.Top + y)[(3 * left)..(3 * right)].CopyTo(result.Row(y)[(3 * (left - box.Left))..]);
        return result;
    }

    /// <summary>
    /// Cuts out the middle, as torchvision's <c>CenterCrop</c>: a picture that is too small is first padded with black to the asked size.
    /// </summary>
    /// <param name="image">Any picture.</param>
    /// <param name="width">Pixels in a row of the result, at least 1.</param>
    /// <param name="height">Rows of the result, at least 1.</param>
    public static RgbImage CenterCrop(RgbImage image, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Crop(image, CropBox.Center(image.Width, image.Height, width, height));
    }
}
