using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// Noise that depends on its seed alone: drawn on the CPU in float32 by a generator of its own, then moved, so that a seed
/// gives the same values on every device and, up to rounding, in every element type.
/// </summary>
internal static class SeededNoise
{
    /// <summary>Draws standard normal values.</summary>
    /// <param name="shape">The sizes by axis.</param>
    /// <param name="seed">Any number; equal seeds and shapes give equal values.</param>
    /// <param name="device">Where the result shall lie; the CPU when null.</param>
    /// <param name="dtype">The floating-point type of the result; float32 when null.</param>
    public static Tensor Normal(long[] shape, ulong seed, Device? device = null, ScalarType? dtype = null)
    {
        using var generator = new Generator(seed, CPU);
        return Normal(shape, generator, device, dtype);
    }

    /// <summary>
    /// Draws standard normal values for several pictures, each from a seed of its own, so that none depends on its neighbours.
    /// </summary>
    /// <param name="shape">The sizes of one picture, without a batch axis.</param>
    /// <param name="seeds">One a picture, at least one.</param>
    /// <returns>Float32 on the CPU, <c>[seeds, shape]</c>.</returns>
    public static Tensor NormalEach(long[] shape, IEnumerable<ulong> seeds)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        using var scope = NewDisposeScope();
        return stack([.. seeds.Select(seed => Normal(shape, seed))]).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the next standard normal values of a generator.</summary>
    /// <param name="shape">The sizes by axis.</param>
    /// <param name="generator">A CPU generator; it moves on.</param>
    /// <param name="device">Where the result shall lie; the CPU when null.</param>
    /// <param name="dtype">The floating-point type of the result; float32 when null.</param>
    public static Tensor Normal(long[] shape, Generator generator, Device? device = null, ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(generator);
        using var scope = NewDisposeScope();
        var drawn = randn(shape, ScalarType.Float32, CPU, generator: generator);
        return drawn.to(dtype ?? ScalarType.Float32, device ?? CPU).MoveToOuterDisposeScope();
    }

    /// <summary>Draws from a generator again and again and keeps some of the draws.</summary>
    /// <param name="shape">The sizes of one draw, of which the first is 1.</param>
    /// <param name="generator">A CPU generator; it moves on to behind the last draw that is kept.</param>
    /// <param name="places">Which draws are kept, rising, 0 for the next; at least one.</param>
    /// <returns>Float32 on the CPU, <c>[places, shape without its 1]</c>.</returns>
    public static Tensor NormalAt(long[] shape, Generator generator, int[] places)
    {
        ArgumentNullException.ThrowIfNull(places);
        using var scope = NewDisposeScope();
        var kept = new List<Tensor>();
        for (var place = 0; place <= places[^1]; place++)
        {
            var drawn = Normal(shape, generator);
            if (places.Contains(place))
                kept.Add(drawn);
            else
                drawn.Dispose();
        }

        return cat(kept, dim: 0).MoveToOuterDisposeScope();
    }
}
