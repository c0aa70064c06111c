using System.Security.Cryptography;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <summary>The pictures that a <c>generate</c> run begins from, with their masks.</summary>
internal sealed class SourcePictures
{
    /// <summary>The mask that is what is transparent in the picture.</summary>
    public const string Alpha = "alpha";

    private readonly string? _mask;
    private readonly string? _maskNote;
    private readonly (string Path, string Sha256)[] _pictures;

    private SourcePictures(GenerateConfig config, string image)
    {
        _mask = config.Mask;
        string[] files = Directory.Exists(image)
            ? [.. Directory.GetFiles(image).Where(PictureName.Is).Order(StringComparer.Ordinal)] : [image];
        if (files.Length == 0)
            throw new LabException($"{image} has no pictures; jpg, png, webp, bmp and tiff files are read.");
        _pictures = [.. files.Select(file => (file, Hash(file)))];
        CheckMasks(files);
        _maskNote = _mask is null or Alpha ? _mask : Hash(_mask);
    }

    /// <summary>How many there are.</summary>
    public int Count => _pictures.Length;

    /// <summary>Reads which they are.</summary>
    /// <param name="config">The options.</param>
    /// <returns>Null where a run begins from noise.</returns>
    /// <exception cref="LabException">A picture or the mask cannot be read.</exception>
    public static SourcePictures? Of(GenerateConfig config) => config.Image is { } image ? new(config, image) : null;

    /// <summary>What the record of a generated picture says of its source.</summary>
    /// <param name="record">The record.</param>
    /// <param name="source">Which picture, from 0.</param>
    /// <param name="place">Which of the pictures that are generated from it, from 0.</param>
    /// <param name="strength">How much is made anew.</param>
    public PictureRecord Note(PictureRecord record, int source, int place, double strength) => record with
    {
        ImageSha256 = _pictures[source].Sha256,
        Strength = strength,
        Mask = _maskNote,
        NoiseIndex = place == record.Index ? null : place,
    };

    /// <summary>Lets a request begin from a picture, see <see cref="StableDiffusion3Pipeline.DrawStart"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="source">Which picture, from 0.</param>
    /// <param name="pipeline">The models.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="places">Which of the pictures that are generated from it, rising, from 0.</param>
    /// <returns>Its two tensors of noise are the caller's.</returns>
    public GenerationRequest Begin(GenerationRequest request, int source, StableDiffusion3Pipeline pipeline, ulong seed, int[] places)
    {
        var path = _pictures[source].Path;
        return pipeline.DrawStart(request with { Image = ImageDecoder.LoadOverWhite(path), Mask = MaskOf(path, _mask) }, seed, places);
    }

    /// <summary>The mask of a picture.</summary>
    /// <param name="path">The picture's file.</param>
    /// <param name="mask">A file, alpha, or null for none.</param>
    /// <exception cref="LabException">It cannot be read, or the picture has no transparent pixels.</exception>
    internal static RgbImage? MaskOf(string path, string? mask)
    {
        if (mask != Alpha)
            return mask is null ? null : LoadMask(mask);
        var transparency = ImageDecoder.LoadTransparency(path);
        return HasWhite(transparency) ? transparency : throw new LabException(
            $"{path} has no transparent pixels, which mask=alpha asks to make anew. Erase them in a png or webp, or name a mask's file.");
    }

    // Before the first picture is generated, not at the one that does not fit.
    private void CheckMasks(string[] files)
    {
        var mask = _mask is null or Alpha ? null : LoadMask(_mask);
        if (mask is not null)
        {
            using var gray = ImageStart.Gray(mask, mask.Width, mask.Height);
            if (!gray.data<float>().Any(level => level >= 0.5f))
            {
                throw new LabException(
                    $"The mask {_mask} is black everywhere, so nothing would be made anew. Paint white what is to change.");
            }
        }

        foreach (var file in _mask is null ? [] : files)
        {
            if (mask is null)
            {
                MaskOf(file, _mask);
                continue;
            }

            var size = ImageDecoder.WithFile(file, content => ImageDecoder.ReadInfo(content, file));
            if (!GenerationRequest.Fits(mask, size.Width, size.Height))
            {
                throw new LabException(
                    $"{_mask}: the mask has {mask.Width}x{mask.Height} pixels and {file} {size.Width}x{size.Height}; their shapes must "
                    + "be one.");
            }
        }
    }

    // White is half of the brightest, as the mask is read.
    private static bool HasWhite(RgbImage transparency) => transparency.Pixels.AsSpan().ContainsAnyInRange((byte)128, (byte)255);

    private static RgbImage LoadMask(string mask)
    {
        if (!File.Exists(mask))
            throw new LabException($"The mask is {mask}, which is no file; valid is a picture's file, or alpha for what is transparent.");
        return ImageDecoder.LoadOverWhite(mask);
    }

    /// <summary>SHA-256 of a picture's file, in hexadecimal.</summary>
    internal static string Hash(string path) => ImageDecoder.WithFile(path, file => Convert.ToHexStringLower(SHA256.HashData(file)));
}
