using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.ImageEncoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Small painted pictures with their captions' tokens. Letters: B pictures, W window.</summary>
internal sealed class CaptionedPictures : IDisposable
{
    private readonly PictureStore _pictures;
    private readonly CaptionTable _captions;
    private readonly int _window;

    /// <summary>Paints the pictures of consecutive seeds, at full size first.</summary>
    /// <param name="recipe">Sizes.</param>
    /// <param name="options">Device, threads and pool.</param>
    /// <param name="tokenizers">Folder with the tokenizers' folders; the first is CLIP's.</param>
    /// <param name="firstSeed">Seed of the first picture.</param>
    /// <param name="count">How many.</param>
    /// <param name="split">Which combinations.</param>
    /// <param name="size">Side of the small pictures, in pixels.</param>
    public CaptionedPictures(
        MiniatureRecipe recipe, PretrainingOptions options, string tokenizers, ulong firstSeed, int count, CombinationSplit split,
        int size)
    {
        var processor = new ImageProcessor(EncoderRecipe.ClipProcessor(size), ImageProtocol.Published);
        _window = recipe.TextWindow;
        _captions = CaptionTable.Create(recipe, tokenizers, firstSeed, count, split, options.Device);
        _pictures = PictureStore.Start(
            recipe with { PictureSize = size }, options,
            i => processor.Fit(WorldRenderer.Render(recipe.CaptionedSpec(firstSeed + (ulong)i, split), recipe.PictureSize)).Pixels,
            recipe.CaptionedPool("Captioned", split, firstSeed), count);
        _pictures.Fill(int.MaxValue);
    }

    /// <summary>Number of pictures.</summary>
    public int Count => _pictures.Count;

    /// <summary>Random pictures, each with one of its captions.</summary>
    /// <param name="rows">B.</param>
    /// <returns>Pixels −1 … 1, <c>[B, 3, H, W]</c>, and token ids, int64, <c>[B, W]</c>.</returns>
    public (Tensor Pixels, Tensor Ids) Draw(int rows)
    {
        using var indices = _pictures.DrawRows(rows);
        using var captions = _captions.Draw(indices, 0);
        return (_pictures.Pictures(indices), captions.narrow(1, 0, _window).clone());
    }

    /// <summary>All pictures, each with its first caption.</summary>
    /// <returns>As <see cref="Draw"/> gives them.</returns>
    public (Tensor Pixels, Tensor Ids) All()
    {
        using var captions = _captions.First(0, Count);
        return (_pictures.Pictures(0, Count), captions.narrow(1, 0, _window).clone());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pictures.Dispose();
        _captions.Dispose();
    }
}
