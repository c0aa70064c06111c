using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>Size and format of pictures in HTML. Notebooks store their outputs, so small is the default.</summary>
public sealed record PictureEmbedding
{
    /// <summary>WebP of quality 80, at most three pixels for two that are shown.</summary>
    public static PictureEmbedding Small { get; } = new();

    /// <summary>The same with one pixel for each that is shown: for grids of dozens of pictures.</summary>
    public static PictureEmbedding Thumbnail { get; } = new() { Scale = 1 };

    /// <summary>Pictures unchanged; for pages, where size matters little.</summary>
    public static PictureEmbedding Original { get; } = new() { Format = PictureFormat.Original };

    /// <summary>The format. Default WebP.</summary>
    public PictureFormat Format { get; init; } = PictureFormat.Webp;

    /// <summary>Quality of WebP and JPEG, 1 … 100. Default 80.</summary>
    public int Quality { get; init; } = 80;

    /// <summary>Pixels for each CSS pixel of the cell, 0.5 … 8; pictures are never enlarged. Default 1.5.</summary>
    public double Scale { get; init; } = 1.5;

    /// <summary>A picture as a data address.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="shownSize">CSS pixels of the longer side, as it is shown.</param>
    internal string DataUri(RgbImage image, int shownSize)
    {
        if (Quality is < 1 or > 100 || Scale is not (>= 0.5 and <= 8))
            throw new LabException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Pictures cannot be put into HTML: Quality is {Quality} (1 … 100), Scale is {Scale} (0.5 … 8)."));
        var small = Format == PictureFormat.Original ? image : Reduce(image, (int)Math.Round(shownSize * Scale));
        return Format switch
        {
            PictureFormat.Webp => Data("webp", ImageEncoder.EncodeWebp(small, Quality)),
            PictureFormat.Jpeg => Data("jpeg", ImageEncoder.EncodeJpeg(small, Quality)),
            _ => Data("png", ImageEncoder.EncodePng(small)),
        };
    }

    /// <summary>The content of a picture file as a data address.</summary>
    internal static string Data(string type, byte[] content) => $"data:image/{type};base64,{Convert.ToBase64String(content)}";

    private static RgbImage Reduce(RgbImage image, int most)
    {
        var longer = Math.Max(image.Width, image.Height);
        if (longer <= most)
            return image;
        var scale = (double)most / longer;
        return ImageResizer.Resize(
            image, Math.Max(1, (int)Math.Round(image.Width * scale)), Math.Max(1, (int)Math.Round(image.Height * scale)));
    }
}
