using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>What a published <c>preprocessor_config.json</c> says.</summary>
internal sealed record ImageProcessorConfig
{
    private const int MostPixels = 4096;

    /// <summary>
    /// Pixels of the shorter side after resizing; null where the whole picture becomes <see cref="Height"/> × <see cref="Width"/>.
    /// </summary>
    public int? ShortestEdge { get; init; }

    /// <summary>Pixels of the result from top to bottom: of the middle that is cut out, or of the whole picture.</summary>
    public required int Height { get; init; }

    /// <summary>Pixels of the result from left to right.</summary>
    public required int Width { get; init; }

    /// <summary>How it is resized.</summary>
    public required ResizeFilter Resample { get; init; }

    /// <summary>What an 8-bit level is multiplied by.</summary>
    public double RescaleFactor { get; init; } = 1 / 255.0;

    /// <summary>What is subtracted from red, green and blue.</summary>
    public required IReadOnlyList<double> ImageMean { get; init; }

    /// <summary>What red, green and blue are divided by afterwards.</summary>
    public required IReadOnlyList<double> ImageStd { get; init; }

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">It is missing, is no JSON object, or asks for what is not known here.</exception>
    public static ImageProcessorConfig Read(string path)
    {
        var file = JsonField.ReadFile(path);
        foreach (var step in (string[])["do_resize", "do_normalize", "do_rescale"])
        {
            if (file.Find(step)?.Truth() == false)
                throw new LabException($"{path}: {step} is false; only true is known.");
        }

        var name = (file.Find("image_processor_type") ?? file.Get("feature_extractor_type")).Text();
        var size = file.Get("size");
        var crops = file.Find("do_center_crop")?.Truth() ?? false;
        // A plain number is the side of a square in ViT's processor, and the shorter side in the others'.
        var shortest = size.IsObject ? size.Find("shortest_edge")
            : name.StartsWith("ViT", StringComparison.Ordinal) ? null : size;
        if (shortest is not null && !crops)
            throw new LabException($"{path}: size is the shorter side and do_center_crop is not true; pictures would differ in size.");
        var (height, width) = Sides(crops ? file.Get("crop_size") : size);
        if (crops && shortest is null)
            throw new LabException($"{path}: size is that of the whole picture and do_center_crop is true; only one of the two is known.");
        return new()
        {
            ShortestEdge = shortest?.Int(1, MostPixels),
            Height = height,
            Width = width,
            Resample = file.Get("resample").Int() switch
            {
                (int)ResizeFilter.Bilinear => ResizeFilter.Bilinear,
                (int)ResizeFilter.Bicubic => ResizeFilter.Bicubic,
                var other => throw new LabException(string.Create(
                    CultureInfo.InvariantCulture, $"{path}: resample is {other}; 2 (bilinear) and 3 (bicubic) are known.")),
            },
            RescaleFactor = file.Find("rescale_factor")?.Number() ?? 1 / 255.0,
            ImageMean = Channels(file.Get("image_mean")),
            ImageStd = Divisors(file.Get("image_std")),
        };
    }

    private static (int Height, int Width) Sides(JsonField size)
    {
        if (size.IsObject)
            return (size.Get("height").Int(1, MostPixels), size.Get("width").Int(1, MostPixels));
        var side = size.Int(1, MostPixels);
        return (side, side);
    }

    private static double[] Divisors(JsonField list)
    {
        var values = Channels(list);
        return Array.TrueForAll(values, value => value > 0) ? values : throw new LabException(string.Create(
            CultureInfo.InvariantCulture,
            $"{list.Source}: {list.Path} is [{values[0]}, {values[1]}, {values[2]}]; pixels are divided by it, so each must be above 0."));
    }

    private static double[] Channels(JsonField list)
    {
        double[] values = [.. list.Items().Select(item => item.Number())];
        return values.Length == 3
            ? values
            : throw new LabException($"{list.Source}: {list.Path} has {values.Length} numbers; 3 are needed.");
    }
}
