using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Numbers as one byte each, relative to the largest of their block: the dynamic data type, which has seven decades and in each lower one
/// fewer values.
/// </summary>
/// <remarks>Source: Dettmers et al., arXiv 2110.02861; create_dynamic_map and quantize_2D of bitsandbytes 95f9af3.</remarks>
internal sealed class BlockCodes : IDisposable
{
    /// <summary>Numbers of a block.</summary>
    public const int BlockSize = 256;

    private const int Decades = 7;
    private const double Tiny = 1e-38;

    private readonly bool _signed;
    private readonly Tensor _values, _borders;

    /// <summary>Makes the table.</summary>
    /// <param name="signed">Whether numbers may be negative.</param>
    /// <param name="device">Where the numbers are.</param>
    public BlockCodes(bool signed, Device device)
    {
        using var scope = NewDisposeScope();
        _signed = signed;
        var values = Table(signed);
        var borders = values.Skip(1).Zip(values, (upper, lower) => (lower + upper) * 0.5f).ToArray();
        _values = tensor(values, device: device).DetachFromDisposeScope();
        _borders = tensor(borders, device: device).DetachFromDisposeScope();
    }

    /// <summary>The 256 values, ascending.</summary>
    /// <param name="signed">Whether they may be negative.</param>
    public static float[] Table(bool signed)
    {
        var values = new List<float> { 0, 1 };
        for (var decade = 0; decade < Decades; decade++)
        {
            var parts = 1 << (signed ? decade : decade + 1);
            var scale = (float)Math.Pow(10, decade - Decades + 1);
            for (var i = 0; i < parts; i++)
            {
                var value = scale * ((Edge(i, parts) + Edge(i + 1, parts)) / 2f);
                values.Add(value);
                if (signed)
                    values.Add(-value);
            }
        }

        values.Sort();
        return [.. values];
    }

    /// <summary>Turns numbers into codes.</summary>
    /// <param name="numbers"><c>[blocks, n]</c>, float32, n at most <see cref="BlockSize"/>.</param>
    /// <param name="codes">
    /// Receives the nearest codes; the same shape, uint8. A negative number never becomes 0 where the table is signed.
    /// </param>
    /// <param name="largest">Receives the largest absolute number of each block, <c>[blocks]</c>.</param>
    public void Encode(Tensor numbers, Tensor codes, Tensor largest)
    {
        largest.copy_(numbers.abs().amax([1]));
        var relative = numbers.div(largest.clamp_min(KeptScalar.Of(Tiny)).unsqueeze(1));
        var nearest = relative.bucketize(_borders, outInt32: true);
        if (_signed)
        {
            var differs = Values(nearest).signbit().bitwise_xor(numbers.signbit());
            var away = numbers.gt(KeptScalar.Of(0)).to(ScalarType.Int32).mul_(KeptScalar.Integer(2)).sub_(KeptScalar.Integer(1));
            nearest = nearest.add(away.mul_(differs.to(ScalarType.Int32)), KeptScalar.One);
        }

        codes.copy_(nearest);
    }

    /// <summary>Turns codes into numbers.</summary>
    /// <param name="codes"><c>[blocks, n]</c>, uint8.</param>
    /// <param name="largest">The largest absolute number of each block, <c>[blocks]</c>.</param>
    /// <returns>The same shape, float32.</returns>
    public Tensor Decode(Tensor codes, Tensor largest) => Values(codes.to(ScalarType.Int32)).mul_(largest.unsqueeze(1));

    /// <inheritdoc/>
    public void Dispose()
    {
        _values.Dispose();
        _borders.Dispose();
    }

    private Tensor Values(Tensor codes) => _values.index_select(0, codes.flatten()).view(codes.shape);

    // As torch.linspace(0.1, 1, parts + 1) in float32: from both ends, rounded once.
    private static float Edge(int index, int parts)
    {
        double step = (1f - 0.1f) / parts;
        return index < (parts + 1) / 2 ? (float)(0.1f + (step * index)) : (float)(1 - (step * (parts - index)));
    }
}
