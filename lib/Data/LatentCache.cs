using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Latents of every view of a dataset, encoded once. Means and standard deviations are kept, not samples, so that each step still
/// draws its own noise, as the reference's cached <c>latent_dist</c> does. Letters: N views, B rows, C latent channels, h and w of the
/// latents.
/// </summary>
internal sealed class LatentCache : IDisposable
{
    private readonly Dictionary<PictureView, long> _index;
    private readonly LatentMoments _moments;

    private LatentCache(Dictionary<PictureView, long> index, LatentMoments moments)
    {
        _index = index;
        _moments = moments;
    }

    /// <summary>N, how many views are held.</summary>
    public int Count => _index.Count;

    /// <summary>Bytes of both tensors.</summary>
    public long Bytes => _moments.Mean.numel() * _moments.Mean.element_size() + _moments.Std.numel() * _moments.Std.element_size();

    /// <summary>Encodes every view that a row of the dataset can have, both ways of each instance picture with random flips.</summary>
    /// <param name="dataset">The pictures.</param>
    /// <param name="encode">
    /// From pixels (float32, CPU, [B, 3, H, W], in [−1, 1]; they stay the cache's) to moments, which the cache disposes. Device and dtype
    /// of the first moments are those of the cache.
    /// </param>
    /// <param name="batchSize">Pictures encoded at a time, at least 1.</param>
    /// <param name="onEncoded">Told how many of N views are done, after each batch.</param>
    /// <param name="cancellation">Checked before each batch.</param>
    /// <returns>The cache; it owns its tensors whatever dispose scope is open.</returns>
    /// <exception cref="LabException">A picture cannot be read any more, or moments have another shape than the first.</exception>
    public static LatentCache Build(
        DreamBoothDataset dataset,
        Func<Tensor, LatentMoments> encode,
        int batchSize = 1,
        Action<int, int>? onEncoded = null,
        CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(encode);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var views = dataset.DistinctViews;
        LatentMoments? held = null;
        try
        {
            var done = 0;
            foreach (var chunk in views.Chunk(batchSize))
            {
                cancellation.ThrowIfCancellationRequested();
                held = EncodeChunk(dataset, chunk, encode, held, done, views.Count);
                done += chunk.Length;
                onEncoded?.Invoke(done, views.Count);
            }

            var index = views.Select((view, place) => (view, place)).ToDictionary(pair => pair.view, pair => (long)pair.place);
            return new LatentCache(index, held!);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    /// <summary>The moments of rows.</summary>
    /// <param name="rows">Rows of the dataset that was encoded.</param>
    /// <returns>Copies, [B, C, h, w] each, in the rows' order; the caller disposes them.</returns>
    /// <exception cref="LabException">A row's view was not encoded.</exception>
    public LatentMoments Moments(IReadOnlyList<DreamBoothRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        using var scope = NewDisposeScope();
        var places = tensor(rows.Select(row => Place(row.View)).ToArray()).to(_moments.Mean.device);
        return new LatentMoments(
            _moments.Mean.index_select(0, places).MoveToOuterDisposeScope(),
            _moments.Std.index_select(0, places).MoveToOuterDisposeScope());
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose() => _moments.Dispose();

    private static LatentMoments EncodeChunk(
        DreamBoothDataset dataset, PictureView[] views, Func<Tensor, LatentMoments> encode, LatentMoments? held, int at, int total)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var pixels = Imaging.PixelTensors.Stack([.. views.Select(dataset.LoadPicture)]);
        using var moments = encode(pixels);
        long[] shape = [views.Length, .. (held ?? moments).Mean.shape[1..]];
        if (!moments.Mean.shape.SequenceEqual(shape) || !moments.Std.shape.SequenceEqual(shape))
            throw new LabException(
                $"Encoding {views.Length} pictures gave moments of shape [{string.Join(", ", moments.Mean.shape)}] and "
                + $"[{string.Join(", ", moments.Std.shape)}], expected [{string.Join(", ", shape)}].");
        held ??= new LatentMoments(Room(moments.Mean, total), Room(moments.Std, total));
        held.Mean.narrow(0, at, views.Length).copy_(moments.Mean);
        held.Std.narrow(0, at, views.Length).copy_(moments.Std);
        return held;
    }

    private static Tensor Room(Tensor part, int total) =>
        empty([total, .. part.shape[1..]], part.dtype, part.device).DetachFromDisposeScope();

    private long Place(PictureView view) => _index.TryGetValue(view, out var place)
        ? place
        : throw new LabException(
            $"The latent cache has no entry for {view.Path} (flip {view.Flip}, crop from {view.Crop.Left}, {view.Crop.Top}): it was built "
            + "from another dataset.");
}
