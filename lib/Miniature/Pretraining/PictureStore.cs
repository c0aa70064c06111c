using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Painted pictures as bytes on the training device; it fills while training runs.</summary>
internal sealed class PictureStore : IDisposable
{
    private readonly Tensor _pixels;
    private readonly DrawingStream _stream;
    private readonly int _size;

    private PictureStore(DrawingStream stream, int size, Device device)
    {
        (_stream, _size) = (stream, size);
        _pixels = zeros([stream.Count, (long)size * size * 3], ScalarType.Byte, device).DetachFromDisposeScope();
    }

    /// <summary>Number of pictures that are ready.</summary>
    public int Filled { get; private set; }

    /// <summary>Number of pictures when all are ready.</summary>
    public int Count => _stream.Count;

    /// <summary>Starts to paint the pictures of consecutive seeds.</summary>
    /// <param name="recipe">Size of the pictures.</param>
    /// <param name="options">Device, threads and pool.</param>
    /// <param name="firstSeed">Seed of the first painted picture.</param>
    /// <param name="count">How many.</param>
    /// <param name="split">Which combinations.</param>
    public static PictureStore Start(MiniatureRecipe recipe, PretrainingOptions options, ulong firstSeed, int count, CombinationSplit split)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        return Start(
            recipe, options, i => WorldRenderer.Render(WorldSampler.Draw(firstSeed + (ulong)i, split), recipe.PictureSize).Pixels,
            $"{split}-{firstSeed}", count);
    }

    /// <summary>Starts to paint pictures by number.</summary>
    /// <param name="recipe">Size of the pictures.</param>
    /// <param name="options">Device, threads and pool.</param>
    /// <param name="render">Pixels of a painted picture by its number.</param>
    /// <param name="name">Name of the pictures in the pool.</param>
    /// <param name="count">How many.</param>
    public static PictureStore Start(MiniatureRecipe recipe, PretrainingOptions options, Func<int, byte[]> render, string name, int count)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        var bytes = recipe.PictureSize * recipe.PictureSize * 3;
        return new PictureStore(
            new DrawingStream(count, bytes, render, name, options.Pool, options.RenderThreads, options.Cancellation), recipe.PictureSize,
            options.Device);
    }

    /// <summary>Takes over the pictures that are ready.</summary>
    /// <param name="atLeast">Waits until as many are there; 0 does not wait.</param>
    public void Fill(int atLeast = 0)
    {
        var needed = Math.Min(atLeast, Count);
        while (Filled < Count && _stream.TryTake(wait: Filled < needed, out var chunk))
        {
            using var scope = NewDisposeScope();
            using var rows = tensor(chunk.Pixels, [chunk.Pixels.Length / _stream.BytesEach, _stream.BytesEach], ScalarType.Byte);
            _pixels.narrow(0, chunk.First, rows.shape[0]).copy_(rows);
            Filled = chunk.First + (int)rows.shape[0];
        }
    }

    /// <summary>A random selection of the pictures that are ready.</summary>
    /// <param name="rows">How many.</param>
    /// <returns>Their numbers, int64, <c>[B]</c>, on the device.</returns>
    public Tensor DrawRows(long rows) => randint(Filled, [rows], ScalarType.Int64, _pixels.device);

    /// <summary>Pictures by number.</summary>
    /// <param name="indices">Numbers, int64, <c>[B]</c>, on the device.</param>
    /// <returns>−1 … 1, float32, <c>[B, 3, H, W]</c>.</returns>
    public Tensor Pictures(Tensor indices) => ToPixels(_pixels.index_select(0, indices));

    /// <summary>Consecutive pictures.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="count">How many.</param>
    /// <returns>−1 … 1, float32, <c>[B, 3, H, W]</c>.</returns>
    public Tensor Pictures(int first, int count) => ToPixels(_pixels.narrow(0, first, count));

    /// <summary>Replaces consecutive pictures.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="pictures">−1 … 1, <c>[B, 3, H, W]</c>.</param>
    public void Replace(int first, Tensor pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var bytes = pictures.add(KeptScalar.One, KeptScalar.One).mul(KeptScalar.Of(127.5)).round()
            .clamp(KeptScalar.Of(0), KeptScalar.Of(255)).to(ScalarType.Byte).permute(0, 2, 3, 1).reshape(pictures.shape[0], -1);
        _pixels.narrow(0, first, pictures.shape[0]).copy_(bytes);
    }

    /// <summary>Ends the rendering and frees the pictures.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _pixels.Dispose();
    }

    private Tensor ToPixels(Tensor bytes)
    {
        using var scope = NewDisposeScope();
        return bytes.view(-1, _size, _size, 3).permute(0, 3, 1, 2).to(ScalarType.Float32).div(KeptScalar.Of(127.5))
            .sub(KeptScalar.One).contiguous().MoveToOuterDisposeScope();
    }
}
