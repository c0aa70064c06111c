using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Sweeps;

/// <summary>The picture that pictures of a sweep begin from; nothing where they begin from noise.</summary>
internal static class SweepSource
{
    /// <summary>The hashes of a picture's sources, as <see cref="SweepResult.SourceSha256"/> has them.</summary>
    /// <exception cref="LabException">A file is not there.</exception>
    public static string? HashOf(SweepItem item) => item.Image is null ? null
        : item.Mask is null or SourcePictures.Alpha ? SourcePictures.Hash(item.Image)
        : $"{SourcePictures.Hash(item.Image)} {SourcePictures.Hash(item.Mask)}";

    /// <summary>Lets a batch begin from its picture. Every picture draws by its own seed, first for the encoding.</summary>
    /// <param name="request">The batch's request.</param>
    /// <param name="items">Its pictures, of one source.</param>
    /// <param name="pipeline">The models.</param>
    /// <returns>Its two tensors of noise are the caller's.</returns>
    public static GenerationRequest Begin(GenerationRequest request, SweepItem[] items, StableDiffusion3Pipeline pipeline)
    {
        if (items[0].Image is not { } image)
            return request;
        request = request with
        {
            Image = ImageDecoder.LoadOverWhite(image),
            Mask = SourcePictures.MaskOf(image, items[0].Mask),
            Strength = items[0].Strength ?? request.Strength,
        };
        using var scope = NewDisposeScope();
        var drawn = items.Select(item => pipeline.DrawStart(request, item.Seed, [0])).ToList();
        return request with
        {
            EncodingNoise = cat([.. drawn.Select(one => one.EncodingNoise!)]).MoveToOuterDisposeScope(),
            StartNoise = cat([.. drawn.Select(one => one.StartNoise!)]).MoveToOuterDisposeScope(),
        };
    }

    /// <summary>What a picture's record says of its source.</summary>
    /// <param name="record">The record.</param>
    /// <param name="item">The picture.</param>
    /// <param name="hashes">Its <see cref="HashOf"/>.</param>
    public static PictureRecord Note(PictureRecord record, SweepItem item, string? hashes) => hashes?.Split(' ') is not { } own ? record
        : record with
        {
            ImageSha256 = own[0],
            Strength = item.Strength ?? GenerationRequest.DefaultStrength,
            Mask = own.Length > 1 ? own[1] : item.Mask,
        };
}
