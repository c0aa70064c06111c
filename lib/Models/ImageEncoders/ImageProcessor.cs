using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>Makes an encoder's input of pictures, exactly as PIL does on 8-bit pixels. Letters: B pictures, H and W their sides.</summary>
internal sealed class ImageProcessor
{
    private readonly ImageProcessorConfig _config;
    private readonly bool _isPaper;
    private readonly float[][] _levels;

    /// <summary>Prepares.</summary>
    /// <param name="config">What the model's folder says.</param>
    /// <param name="protocol">Whether that is followed, or how the model's authors evaluate.</param>
    public ImageProcessor(ImageProcessorConfig config, ImageProtocol protocol)
    {
        // Among the known encoders only DINO's own processor squashes the whole picture.
        _isPaper = protocol == ImageProtocol.Paper && config.ShortestEdge is null;
        _config = _isPaper
            ? config with { ShortestEdge = config.Height * 256 / 224, Resample = ResizeFilter.Bicubic }
            : config;
        _levels = [.. config.ImageMean.Zip(config.ImageStd, (mean, std) => Levels(config.RescaleFactor, (float)mean, (float)std))];
    }

    /// <summary>Reads <c>preprocessor_config.json</c> of a model folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="protocol">Which way.</param>
    /// <exception cref="LabException">It is missing or asks for what is not known here.</exception>
    public static ImageProcessor Load(string folder, ImageProtocol protocol) =>
        new(ImageProcessorConfig.Read(Path.Combine(folder, "preprocessor_config.json")), protocol);

    /// <summary>Makes the input of some pictures.</summary>
    /// <param name="images">B pictures of any sizes, at least one.</param>
    /// <returns>float32 on the CPU, <c>[B, 3, H, W]</c>; the caller's.</returns>
    public Tensor Stack(IReadOnlyList<RgbImage> images)
    {
        ArgumentOutOfRangeException.ThrowIfZero(images.Count);
        var plane = _config.Height * _config.Width;
        var values = new float[images.Count * 3 * plane];
        for (var i = 0; i < images.Count; i++)
            Fill(Fit(images[i]), values.AsSpan(i * 3 * plane, 3 * plane));
        return tensor(values, [images.Count, 3, _config.Height, _config.Width]);
    }

    /// <summary>The pixels that the encoder sees, before they are normalised.</summary>
    /// <param name="image">Any picture.</param>
    public RgbImage Fit(RgbImage image)
    {
        if (_config.ShortestEdge is not { } shortest)
            return ImageResizer.Resize(image, _config.Width, _config.Height, _config.Resample);
        var resized = ImageResizer.ResizeShortSide(image, shortest, _config.Resample);
        return ImageTransforms.Crop(resized, Middle(resized));
    }

    // The published processors round an odd rest down, torchvision, which the papers' code uses, to the even neighbour.
    private CropBox Middle(RgbImage image) => _isPaper
        ? CropBox.Center(image.Width, image.Height, _config.Width, _config.Height)
        : new CropBox((image.Width - _config.Width) >> 1, (image.Height - _config.Height) >> 1, _config.Width, _config.Height);

    private void Fill(RgbImage image, Span<float> values)
    {
        var plane = image.Width * image.Height;
        for (int i = 0, at = 0; i < plane; i++, at += 3)
        {
            values[i] = _levels[0][image.Pixels[at]];
            values[plane + i] = _levels[1][image.Pixels[at + 1]];
            values[(2 * plane) + i] = _levels[2][image.Pixels[at + 2]];
        }
    }

    private static float[] Levels(double factor, float mean, float std) =>
        [.. Enumerable.Range(0, 256).Select(level => ((float)(level * factor) - mean) / std)];
}
