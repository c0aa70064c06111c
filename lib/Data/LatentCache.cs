using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Latents of every view of a dataset, encoded once. Means and standard deviations are kept, not samples, so that each step still
/// draws its own noise, as the reference's cached <c>latent_dist</c> does. Letters: N views of one size, B rows, C latent channels, h and w
/// of the latents.
/// </summary>
internal sealed class LatentCache : IDisposable
{
    private readonly Dictionary<PictureView, (int Size, long Place)> _index;
    private readonly LatentMoments[] _moments;

    private LatentCache(Dictionary<PictureView, (int Size, long Place)> index, LatentMoments[] moments)
    {
        _index = index;
        _moments = moments;
    }

    /// <summary>How many views are held.</summary>
    public int Count => _index.Count;

    /// <summary>Bytes of all tensors.</summary>
    public long Bytes => _moments.Sum(held => held.Mean.numel() * held.Mean.element_size() + held.Std.numel() * held.Std.element_size());

    /// <summary>Encodes every view that a row of the dataset can have, both ways of each instance picture with random flips.</summary>
    /// <param name="dataset">The pictures.</param>
    /// <param name="encode">
    /// From pixels (float32, CPU, [B, 3, H, W], in [−1, 1]; they stay the cache's) to moments, which the cache disposes. Device and dtype
    /// of the first moments are those of the cache.
    /// </param>
    /// <param name="batchSize">Pictures encoded at a time, at least 1; they are of one size.</param>
    /// <param name="onEncoded">Told how many of all views are done, after each batch.</param>
    /// <param name="kept">
    /// From a view and what encodes it to its moments, [1, C, h, w], which it may have from elsewhere; null to encode all. Given, the
    /// pictures are encoded one at a time.
    /// </param>
    /// <param name="cancellation">Checked before each batch.</param>
    /// <returns>The cache; it owns its tensors whatever dispose scope is open.</returns>
    /// <exception cref="LabException">
    /// A picture cannot be read any more, or moments have another shape than the first of their size.
    /// </exception>
    public static LatentCache Build(
        DreamBoothDataset dataset,
        Func<Tensor, LatentMoments> encode,
        int batchSize = 1,
        Action<int, int>? onEncoded = null,
        Func<PictureView, Func<LatentMoments>, LatentMoments>? kept = null,
        CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(encode);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var views = dataset.DistinctViews;
        List<LatentMoments> held = [];
        var index = new Dictionary<PictureView, (int Size, long Place)>();
        try
        {
            foreach (var size in views.GroupBy(view => (view.Crop.Width, view.Crop.Height)))
            {
                var (total, at) = (size.Count(), 0);
                foreach (var chunk in size.Chunk(kept is null ? batchSize : 1))
                {
                    cancellation.ThrowIfCancellationRequested();
                    LatentMoments Chunk() => Encoded(dataset, chunk, encode);
                    Add(held, kept is null ? Chunk() : kept(chunk[0], Chunk), chunk.Length, at, total);
                    foreach (var view in chunk)
                        index.Add(view, (held.Count - 1, at++));
                    onEncoded?.Invoke(index.Count, views.Count);
                }
            }

            return new LatentCache(index, [.. held]);
        }
        catch
        {
            held.ForEach(moments => moments.Dispose());
            throw;
        }
    }

    /// <summary>The moments of rows.</summary>
    /// <param name="rows">Rows of the dataset that was encoded, of one size.</param>
    /// <returns>Copies, [B, C, h, w] each, in the rows' order; the caller disposes them.</returns>
    /// <exception cref="LabException">A row's view was not encoded.</exception>
    public LatentMoments Moments(IReadOnlyList<DreamBoothRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        using var scope = NewDisposeScope();
        (int Size, long Place)[] found = [.. rows.Select(row => Place(row.View))];
        if (found.Length == 0 || Array.Exists(found, row => row.Size != found[0].Size))
            throw new ArgumentException("Latents are given for one or more rows of one size.", nameof(rows));
        var moments = _moments[found[0].Size];
        var places = tensor(Array.ConvertAll(found, row => row.Place)).to(moments.Mean.device);
        return new LatentMoments(
            moments.Mean.index_select(0, places).MoveToOuterDisposeScope(),
            moments.Std.index_select(0, places).MoveToOuterDisposeScope());
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose() => Array.ForEach(_moments, moments => moments.Dispose());

    // The result is the caller's, whatever the encoder's scope.
    private static LatentMoments Encoded(DreamBoothDataset dataset, PictureView[] views, Func<Tensor, LatentMoments> encode)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var pixels = Imaging.PixelTensors.Stack([.. views.Select(dataset.LoadPicture)]);
        var moments = encode(pixels);
        return new LatentMoments(moments.Mean.MoveToOuterDisposeScope(), moments.Std.MoveToOuterDisposeScope());
    }

    // The first moments of a size make room for all of it.
    private static void Add(List<LatentMoments> held, LatentMoments given, int count, int at, int total)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var moments = given;
        if (at == 0)
            held.Add(new LatentMoments(Room(moments.Mean, total), Room(moments.Std, total)));
        long[] shape = [count, .. held[^1].Mean.shape[1..]];
        if (!moments.Mean.shape.SequenceEqual(shape) || !moments.Std.shape.SequenceEqual(shape))
            throw new LabException(
                $"Encoding {count} pictures gave moments of shape [{string.Join(", ", moments.Mean.shape)}] and "
                + $"[{string.Join(", ", moments.Std.shape)}], expected [{string.Join(", ", shape)}].");
        held[^1].Mean.narrow(0, at, count).copy_(moments.Mean);
        held[^1].Std.narrow(0, at, count).copy_(moments.Std);
    }

    private static Tensor Room(Tensor part, int total) =>
        empty([total, .. part.shape[1..]], part.dtype, part.device).DetachFromDisposeScope();

    private (int Size, long Place) Place(PictureView view) => _index.TryGetValue(view, out var place)
        ? place
        : throw new LabException(
            $"The latent cache has no entry for {view.Path} (flip {view.Flip}, crop from {view.Crop.Left}, {view.Crop.Top}): it was built "
            + "from another dataset.");
}
