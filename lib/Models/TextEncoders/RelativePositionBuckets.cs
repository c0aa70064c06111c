using System.Collections.Concurrent;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>
/// T5's relative position buckets (Raffel et al. 2020, arXiv:1910.10683): half of them for tokens behind, half for tokens ahead; in each
/// half, the first half one class per distance, the rest in logarithmic steps. Computed once per length and device.
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
        var places = KeptScalar.Range(0, length, ScalarType.Int64, CPU);
        var offset = places.unsqueeze(0) - places.unsqueeze(1);
        var distance = offset.abs();
        // The logarithm in float32, as the reference takes it: the classes' borders depend on it.
        var logarithm = log(distance.to(ScalarType.Float32).div(KeptScalar.Of(exact)));
        var far = logarithm.div(KeptScalar.Of((float)Math.Log((double)maxDistance / exact))).mul(KeptScalar.Of(half - exact));
        var farClass = far.clamp(min: KeptScalar.Of(0)).to(ScalarType.Int64).add(KeptScalar.Integer(exact), KeptScalar.One)
            .clamp(max: KeptScalar.Integer(half - 1));
        var side = offset.gt(KeptScalar.Integer(0)).to(ScalarType.Int64).mul(KeptScalar.Integer(half));
        return side.add(where(distance.lt(KeptScalar.Integer(exact)), distance, farClass), KeptScalar.One).to(device)
            .DetachFromDisposeScope();
    }
}
