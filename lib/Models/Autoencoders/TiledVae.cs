using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>
/// Runs one half of an autoencoder on overlapping tiles and joins the results: a quarter of a tile overlaps, and there
/// the result goes over linearly from one tile to the next.
/// </summary>
internal static class TiledVae
{
    /// <summary>Applies a function tile by tile.</summary>
    /// <param name="input"><c>[B, C, H, W]</c>.</param>
    /// <param name="tile">Side of a tile in the input's pixels, or null for no tiling.</param>
    /// <param name="grow">How many times larger the output's sides are.</param>
    /// <param name="shrink">How many times smaller the output's sides are.</param>
    /// <param name="compute">The function; a tile in, its result out.</param>
    public static Tensor Apply(Tensor input, int? tile, int grow, int shrink, Func<Tensor, Tensor> compute)
    {
        long height = input.shape[2], width = input.shape[3];
        if (tile is not { } side || (height <= side && width <= side))
            return compute(input);
        using var scope = NewDisposeScope();
        var overlap = Math.Max(side / 4 / shrink * shrink, shrink);
        Tensor? sum = null, weights = null;
        foreach (var top in Starts(height, side, side - overlap))
        {
            foreach (var left in Starts(width, side, side - overlap))
            {
                using var inner = NewDisposeScope();
                long tileHeight = Math.Min(side, height - top), tileWidth = Math.Min(side, width - left);
                var output = compute(input.narrow(2, top, tileHeight).narrow(3, left, tileWidth));
                sum ??= output.new_zeros([output.shape[0], output.shape[1], height * grow / shrink, width * grow / shrink])
                    .MoveToOuterDisposeScope();
                weights ??= output.new_zeros([1, 1, height * grow / shrink, width * grow / shrink]).MoveToOuterDisposeScope();
                var ramp = Math.Max(overlap * grow / shrink, 1);
                var weight = Ramp(output.shape[2], ramp, output).unsqueeze(1) * Ramp(output.shape[3], ramp, output).unsqueeze(0);
                Part(sum, top, left, output).add_(output * weight, KeptScalar.One);
                Part(weights, top, left, output).add_(weight, KeptScalar.One);
            }
        }

        return (sum! / weights!).MoveToOuterDisposeScope();

        Tensor Part(Tensor whole, long top, long left, Tensor part) =>
            whole.narrow(2, top * grow / shrink, part.shape[2]).narrow(3, left * grow / shrink, part.shape[3]);
    }

    private static IEnumerable<long> Starts(long length, long side, long step)
    {
        for (long start = 0; ; start += step)
        {
            if (start + side >= length)
            {
                yield return Math.Max(length - side, 0);
                yield break;
            }

            yield return start;
        }
    }

    // Rises over the overlap and falls over it at the far end; where only one tile lies, its weight cancels out.
    private static Tensor Ramp(long length, long overlap, Tensor like)
    {
        using var scope = NewDisposeScope();
        var position = KeptScalar.Range(1, length + 1, ScalarType.Float32, like.device);
        var fromEnd = position.neg().add(KeptScalar.Of(length + 1), KeptScalar.One);
        return minimum(position, fromEnd).div(KeptScalar.Of(overlap + 1)).clamp(max: KeptScalar.One).to(like.dtype)
            .MoveToOuterDisposeScope();
    }
}
