using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// A stored table of position vectors, of the class token and of a square of patches, for pictures of any size: the square's part is
/// resized as torch's <c>interpolate(mode="bicubic", align_corners=False)</c> does. Letters: s the side of the square, D width.
/// </summary>
internal static class PositionTable
{
    /// <summary>The table for a picture.</summary>
    /// <param name="stored"><c>[1 + s², D]</c>, the class token's first.</param>
    /// <param name="rows">Patches from top to bottom.</param>
    /// <param name="columns">Patches from left to right.</param>
    /// <param name="antialias">Whether the filter widens where the table shrinks.</param>
    /// <returns><c>[1 + rows · columns, D]</c>.</returns>
    public static Tensor For(Tensor stored, int rows, int columns, bool antialias)
    {
        var side = (int)Math.Round(Math.Sqrt(stored.shape[0] - 1));
        if (rows == side && columns == side)
            return stored.alias();
        using var scope = NewDisposeScope();
        var square = stored.narrow(0, 1, side * side).to(ScalarType.Float32).view(side, side, -1);
        // Down the columns, then along the rows: [rows, s] · [s, s D], then [columns, s] · [rows, s, D].
        var tall = Weights(side, rows, antialias, stored.device).matmul(square.flatten(1)).view(rows, side, -1);
        var wide = Weights(side, columns, antialias, stored.device).matmul(tall);
        return cat([stored.narrow(0, 0, 1), wide.flatten(0, 1).to(stored.dtype)], 0).MoveToOuterDisposeScope();
    }

    private static Tensor Weights(int inputs, int outputs, bool antialias, Device device)
    {
        var table = new float[outputs * inputs];
        for (var output = 0; output < outputs; output++)
        {
            var row = table.AsSpan(output * inputs, inputs);
            if (antialias)
                Widening(row, inputs, outputs, output);
            else
                Plain(row, inputs, outputs, output);
        }

        return tensor(table, [outputs, inputs], device: device);
    }

    private static void Widening(Span<float> row, int inputs, int outputs, int output)
    {
        var kernel = new ResizeKernel(ResizeFilter.Bicubic, inputs, outputs);
        Span<double> weights = new double[kernel.MostWeights];
        var (first, count) = kernel.Weigh(output, weights);
        for (var i = 0; i < count; i++)
            row[first + i] = (float)weights[i];
    }

    // Four places, whatever the reduction; those outside count for the outermost.
    private static void Plain(Span<float> row, int inputs, int outputs, int output)
    {
        var center = (output + 0.5) * inputs / outputs - 0.5;
        var before = (int)Math.Floor(center);
        for (var place = before - 1; place <= before + 2; place++)
            row[Math.Clamp(place, 0, inputs - 1)] += (float)CubicConvolution.Weight(place - center, -0.75);
    }
}
