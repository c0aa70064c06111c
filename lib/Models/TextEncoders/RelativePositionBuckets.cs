using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// T5's classes of distances between tokens (Raffel et al. 2020, arXiv:1910.10683): half of them for tokens behind, half for
/// tokens ahead; in each half, the first half one class per distance, the rest in logarithmic steps. Computed once per length and device.
/// </summary>
internal sealed class RelativePositionBuckets(int buckets, int maxDistance) : IDisposable
{
    private readonly ConcurrentDictionary<(long Length, string Device), Tensor> _known = new();

    /// <summary>The class of every pair of tokens, query by key.</summary>
    /// <param name="length">Number of tokens, S.</param>
    /// <param name="device">Where the table is needed.</param>
    /// <returns><c>[S, S]</c> int64; owned by this object.</returns>
    public Tensor Of(long length, Device device) => _known.GetOrAdd((length, device.ToString()), _ => Compute(length, device));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var table in _known.Values)
            table.Dispose();
        _known.Clear();
    }

    private Tensor Compute(long length, Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (half, exact) = (buckets / 2, buckets / 4);
        var places = arange(length, dtype: ScalarType.Int64);
        var offset = places.unsqueeze(0) - places.unsqueeze(1);
        var distance = offset.abs();
        // The logarithm in float32, as the reference takes it: the classes' borders depend on it.
        var far = log(distance.to(ScalarType.Float32) / exact) / (float)Math.Log((double)maxDistance / exact) * (half - exact);
        var farClass = (far.clamp(min: 0).to(ScalarType.Int64) + exact).clamp(max: half - 1);
        var side = offset.gt(0).to(ScalarType.Int64) * half;
        return (side + where(distance.lt(exact), distance, farClass)).to(device).DetachFromDisposeScope();
    }
}
