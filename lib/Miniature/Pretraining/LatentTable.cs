using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// The latents of painted pictures as distributions on the training device, in float16, as the transformer sees them (shifted and scaled).
/// Letters: N painted pictures, C latent channels, h and w of the latents.
/// </summary>
internal sealed class LatentTable : IDisposable
{
    private readonly Tensor _mean;
    private readonly Tensor _deviation;

    private LatentTable(Tensor mean, Tensor deviation) => (_mean, _deviation) = (mean, deviation);

    /// <summary>Number of painted pictures.</summary>
    public long Count => _mean.shape[0];

    /// <summary>Renders and encodes the pictures of consecutive seeds.</summary>
    /// <param name="recipe">Size of the pictures.</param>
    /// <param name="options">Device, threads and pool.</param>
    /// <param name="vae">The trained autoencoder.</param>
    /// <param name="firstSeed">Seed of the first painted picture.</param>
    /// <param name="count">N.</param>
    /// <param name="split">Which combinations.</param>
    public static LatentTable Create(
        MiniatureRecipe recipe, PretrainingOptions options, TrainedVae vae, ulong firstSeed, int count, CombinationSplit split)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(vae);
        using var noGradients = no_grad();
        long side = recipe.PictureSize / recipe.Vae.SpatialFactor;
        long[] shape = [count, recipe.Vae.LatentChannels, side, side];
        var mean = zeros(shape, ScalarType.Float16, options.Device).DetachFromDisposeScope();
        var deviation = zeros(shape, ScalarType.Float16, options.Device).DetachFromDisposeScope();
        using var pictures = PictureStore.Start(
            recipe, options, i => WorldRenderer.Render(recipe.CaptionedSpec(firstSeed + (ulong)i, split), recipe.PictureSize).Pixels,
            recipe.CaptionedPool("Latents", split, firstSeed), count);
        var batch = recipe.DiffusionTraining.EncodeBatch;
        for (var first = 0; first < count; first += batch)
        {
            options.Cancellation.ThrowIfCancellationRequested();
            pictures.Fill(first + batch);
            using var scope = NewDisposeScope();
            var rows = Math.Min(batch, count - first);
            var latents = vae.Model.Encode(pictures.Pictures(first, rows));
            var scale = KeptScalar.Of(vae.ScalingFactor);
            mean.narrow(0, first, rows).copy_(latents.Mean.sub(KeptScalar.Of(vae.ShiftFactor)).mul(scale));
            deviation.narrow(0, first, rows).copy_(latents.LogVariance.mul(KeptScalar.Of(0.5)).exp().mul(scale));
        }

        return new LatentTable(mean, deviation);
    }

    /// <summary>Draws latents of painted pictures.</summary>
    /// <param name="rows">Numbers of the pictures, int64, <c>[B]</c>.</param>
    /// <returns>float32, <c>[B, C, h, w]</c>.</returns>
    public Tensor Draw(Tensor rows)
    {
        using var scope = NewDisposeScope();
        var mean = _mean.index_select(0, rows).to(ScalarType.Float32);
        var deviation = _deviation.index_select(0, rows).to(ScalarType.Float32);
        return addcmul(mean, deviation, randn_like(mean), KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <summary>The mean latents of consecutive painted pictures.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="count">How many.</param>
    /// <returns>float32, <c>[B, C, h, w]</c>.</returns>
    public Tensor Means(int first, int count)
    {
        using var part = _mean.narrow(0, first, count);
        return part.to(ScalarType.Float32);
    }

    /// <summary>Frees the latents.</summary>
    public void Dispose()
    {
        _mean.Dispose();
        _deviation.Dispose();
    }
}
