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
        int right = image.Width - 1, bottom = image.Height - 1;
        return orientation switch
        {
            ExifOrientation.Mirror => Gather(image, false, (x, y) => (right - x, y)),
            ExifOrientation.Rotate180 => Gather(image, false, (x, y) => (right - x, bottom - y)),
            ExifOrientation.Flip => Gather(image, false, (x, y) => (x, bottom - y)),
            ExifOrientation.Transpose => Gather(image, true, (x, y) => (y, x)),
            ExifOrientation.Rotate90Clockwise => Gather(image, true, (x, y) => (y, bottom - x)),
            ExifOrientation.Transverse => Gather(image, true, (x, y) => (right - y, bottom - x)),
            ExifOrientation.Rotate90CounterClockwise => Gather(image, true, (x, y) => (right - y, x)),
            _ => image,
        };
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

    private static RgbImage Gather(RgbImage image, bool swapSides, Func<int, int, (int X, int Y)> source)
    {
        var result = swapSides ? new RgbImage(image.Height, image.Width) : new RgbImage(image.Width, image.Height);
        var from = image.Pixels;
        var to = result.Pixels;
        var at = 0;
        for (var y = 0; y < result.Height; y++)
        {
            for (var x = 0; x < result.Width; x++, at += 3)
            {
                var (sourceX, sourceY) = source(x, y);
                var pixel = 3 * (sourceY * image.Width + sourceX);
                to[at] = from[pixel];
                to[at + 1] = from[pixel + 1];
                to[at + 2] = from[pixel + 2];
            }
        }

        return result;
    }
}
