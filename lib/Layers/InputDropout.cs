using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Dropout of the inputs of an adapter's updates: an element is left out with probability p, the others are divided by 1 - p. Which ones
/// depends on a seed, the micro-batch's number and the layer alone, so that a block that is computed a second time, a replayed CUDA graph
/// and a resumed run leave out the same.
/// </summary>
internal class InputDropout : IDisposable
{
    private const long Range = 1L << 32;
    private readonly Tensor _position;

    /// <summary>Prepares the masks of an adapter.</summary>
    /// <param name="probability">p, from 0 to below 1.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <param name="device">The models' device.</param>
    public InputDropout(double probability, long seed, Device device)
    {
        Probability = probability;
        Seed = seed;
        using var noGradients = no_grad();
        _position = zeros([1], ScalarType.Int64, device).DetachFromDisposeScope();
    }

    /// <summary>p.</summary>
    public double Probability { get; }

    /// <summary>Whether elements are left out: only in training passes.</summary>
    public bool IsOn { get; set; }

    private long Seed { get; }

    /// <summary>Names the micro-batch that comes; other elements are left out in each.</summary>
    /// <param name="number">Its number in the run.</param>
    public virtual void MoveTo(long number)
    {
        using var noGradients = no_grad();
        using var position = KeptScalar.Once(SplitMix64.At((ulong)Seed, (ulong)number) >> 32);
        _position.fill_(position);
    }

    /// <summary>Applies the mask.</summary>
    /// <param name="x"><c>[N, in]</c>.</param>
    /// <param name="update">Whose input it is.</param>
    /// <returns>x itself while this is off.</returns>
    public Tensor Apply(Tensor x, LinearUpdate update)
    {
        if (!IsOn || Probability == 0)
            return x;
        Tensor kept;
        using (no_grad())
            kept = Mask(x.shape, update).to(x.dtype).mul(KeptScalar.Of(1 / (1 - Probability)));
        return x.mul(kept);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _position.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>True where an element is kept.</summary>
    /// <param name="shape"><c>[N, in]</c>.</param>
    /// <param name="update">Whose input it is.</param>
    protected virtual Tensor Mask(long[] shape, LinearUpdate update)
    {
        // A hash of 32 bits (Wellons' lowbias32) of the element's place, the layer and the micro-batch.
        var bits = KeptScalar.Range(0, shape[0] * shape[1], ScalarType.Int64, _position.device)
            .add_(KeptScalar.Integer((update.Number + 1) * 0x9E3779B1L % Range), KeptScalar.One)
            .remainder_(KeptScalar.Integer(Range)).bitwise_xor_(_position);
        foreach (var (shift, factor) in new[] { (16, 0x7FEB352DL), (15, 0x846CA68BL), (16, 1L) })
        {
            bits.bitwise_xor_(bits.div(KeptScalar.Integer(1L << shift), RoundingMode.floor))
                .mul_(KeptScalar.Integer(factor)).remainder_(KeptScalar.Integer(Range));
        }

        return bits.ge(KeptScalar.Integer((long)(Probability * Range))).view(shape);
    }
}
