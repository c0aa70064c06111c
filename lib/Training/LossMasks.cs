using Dreambooth.Lab.Data;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// How much each latent pixel of instance pictures counts in the loss. Masks are area-resized to the latents, as in kohya's sd-scripts
/// (48d368f, apply_masked_loss); then each picture's weights are divided by their mean (decision 0024), so that the loss is the mean over
/// what the mask marks; what it leaves out has weights of its own for <c>masked_prior_weight</c>. Class pictures count as a whole. Letters:
/// B rows, b of them instance rows, h and w of the latents.
/// </summary>
internal sealed class LossMasks : IDisposable
{
    private const double Little = 0.01;

    private readonly Dictionary<PictureView, (Tensor Inside, Tensor? Outside)> _weights = [];
    private readonly PictureMasks _masks;
    private readonly double _background;
    private readonly bool _withOutside;
    private readonly int _factor;
    private readonly Device _device;

    private LossMasks(PictureMasks masks, DreamBoothConfig config, int factor, Device device)
    {
        (_masks, _background, _factor, _device) = (masks, config.MaskBackground, factor, device);
        _withOutside = config.MaskedPriorWeight > 0;
    }

    /// <summary>Views of which a mask leaves less than a hundredth, by the names of their files.</summary>
    public IReadOnlyList<string> NearlyEmpty { get; private set; } = [];

    /// <summary>Prepares the weights of the views of a dataset.</summary>
    /// <param name="dataset">The pictures.</param>
    /// <param name="config">What the rest of a picture counts.</param>
    /// <param name="factor">Pixels of a side of a latent pixel.</param>
    /// <param name="device">Where the weights shall lie.</param>
    /// <returns>Null where the dataset has no masks.</returns>
    public static LossMasks? Of(DreamBoothDataset dataset, DreamBoothConfig config, int factor, Device device)
    {
        if (dataset.Masks is not { } masks)
            return null;
        var result = new LossMasks(masks, config, factor, device);
        var empty = new List<string>();
        foreach (var view in dataset.DistinctViews.Where(view => masks.Has(view.Path)))
        {
            var (weights, share) = result.Compute(view);
            if (share < Little)
                empty.Add(Path.GetFileName(view.Path));
            result._weights.Add(view, (weights.Inside.DetachFromDisposeScope(), weights.Outside?.DetachFromDisposeScope()));
        }

        result.NearlyEmpty = [.. empty.Distinct(StringComparer.Ordinal)];
        return result;
    }

    /// <summary>The weights of rows.</summary>
    /// <param name="rows">Rows of one size, instance rows first.</param>
    /// <returns><c>[B, 1, h, w]</c>, float32, in the current dispose scope.</returns>
    public Tensor Of(IReadOnlyList<DreamBoothRow> rows)
    {
        using var scope = NewDisposeScope();
        Tensor[] own = [.. rows.Where(row => !row.IsClass).Select(row => WeightsOf(row.View).Inside)];
        var others = Enumerable.Repeat(own[0], rows.Count - own.Length).Select(like => ones_like(like));
        return cat([.. own, .. others]).MoveToOuterDisposeScope();
    }

    /// <summary>The weights of what the masks of instance rows leave out, of mean 1; all 0 where one leaves nothing out.</summary>
    /// <param name="rows">Rows of one size, instance rows first.</param>
    /// <returns><c>[b, 1, h, w]</c>, float32, in the current dispose scope; null where it is not needed.</returns>
    public Tensor? Outside(IReadOnlyList<DreamBoothRow> rows)
    {
        if (!_withOutside)
            return null;
        using var scope = NewDisposeScope();
        return cat([.. rows.Where(row => !row.IsClass).Select(row => WeightsOf(row.View).Outside!)]).MoveToOuterDisposeScope();
    }

    private (Tensor Inside, Tensor? Outside) WeightsOf(PictureView view) =>
        _weights.TryGetValue(view, out var known) ? known : Compute(view).Weights;

    private ((Tensor Inside, Tensor? Outside) Weights, float Share) Compute(PictureView view)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var mask = tensor(_masks.Of(view), [1, 1, view.Crop.Height, view.Crop.Width]);
        var (height, width) = (view.Crop.Height / _factor, view.Crop.Width / _factor);
        var (weights, share) = Weights(mask, height, width, _background);
        var rest = _withOutside ? Weights(mask.neg().add(KeptScalar.One, KeptScalar.One), height, width, 0).Weights : null;
        return ((weights.to(_device).MoveToOuterDisposeScope(), rest?.to(_device).MoveToOuterDisposeScope()), share);
    }

    /// <summary>Area-resizes a mask: each value is the mean of the pixels that it covers.</summary>
    /// <param name="mask"><c>[B, 1, H, W]</c>, 0 to 1.</param>
    /// <param name="height">h.</param>
    /// <param name="width">w.</param>
    /// <returns><c>[B, 1, h, w]</c>.</returns>
    internal static Tensor Resize(Tensor mask, long height, long width) => nn.functional.adaptive_avg_pool2d(mask, [height, width]);

    /// <summary>A mask as weights of mean 1; all 0 where it marks nothing and the background counts nothing.</summary>
    internal static (Tensor Weights, float Share) Weights(Tensor mask, long height, long width, double background)
    {
        var small = Resize(mask, height, width);
        using var kept = KeptScalar.Once(1 - background);
        using var rest = KeptScalar.Once(background);
        var weights = small.mul(kept).add(rest, KeptScalar.One);
        var mean = weights.mean().item<float>();
        using var divisor = KeptScalar.Once(mean);
        return (mean > 0 ? weights.div(divisor) : weights, small.mean().item<float>());
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (var (inside, outside) in _weights.Values)
        {
            inside.Dispose();
            outside?.Dispose();
        }
    }
}
