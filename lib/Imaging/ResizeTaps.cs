namespace Dreambooth.Lab.Imaging;

/// <summary>
/// One of PIL's filters along one side: for each output place the first input place that it reads, and the fixed-point weights from there
/// on. Source: Pillow 12, libImaging/Resample.c.
/// </summary>
internal sealed class ResizeTaps
{
    /// <summary>Half of a level: what a sum of products begins with to be rounded.</summary>
    public const int Half = 1 << (FractionBits - 1);

    /// <summary>Bits of a weight after the point.</summary>
    public const int FractionBits = 32 - 8 - 2;

    private readonly int _stride;
    private readonly int[] _counts;
    private readonly int[] _weights;

    private ResizeTaps(int outputs, int stride)
    {
        _stride = stride;
        First = new int[outputs];
        _counts = new int[outputs];
        _weights = new int[outputs * stride];
    }

    /// <summary>The first input place of each output place.</summary>
    public int[] First { get; }

    /// <summary>The filter from one number of places to another; it widens with the reduction.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="inputs">Places before, at least 1.</param>
    /// <param name="outputs">Places after, at least 1.</param>
    public static ResizeTaps Of(ResizeFilter filter, int inputs, int outputs)
    {
        var kernel = new ResizeKernel(filter, inputs, outputs);
        var taps = new ResizeTaps(outputs, kernel.MostWeights);
        var weights = new double[kernel.MostWeights];
        for (var output = 0; output < outputs; output++)
        {
            (taps.First[output], taps._counts[output]) = kernel.Weigh(output, weights);
            for (var i = 0; i < taps._counts[output]; i++)
            {
                // Halves go away from 0, also below it.
                var half = weights[i] < 0 ? -0.5 : 0.5;
                taps._weights[output * taps._stride + i] = (int)(half + weights[i] * (1 << FractionBits));
            }
        }

        return taps;
    }

    /// <summary>The level that a sum of products stands for.</summary>
    public static byte ToByte(int sum) => (byte)Math.Clamp(sum >> FractionBits, 0, 255);

    /// <summary>The weights of an output place.</summary>
    /// <param name="output">The place, from 0.</param>
    public ReadOnlySpan<int> Weights(int output) => _weights.AsSpan(output * _stride, _counts[output]);

    /// <summary>Resizes rows of pixels.</summary>
    /// <param name="from">The picture before.</param>
    /// <param name="to">The picture after, with as many rows.</param>
    public void ResizeRows(RgbImage from, RgbImage to)
    {
        int before = 3 * from.Width, after = 3 * to.Width, y = 0;
        if (ResizeSums.HasGroups)
        {
            var turned = new byte[TurnedRows.Count * before];
            var resized = new byte[TurnedRows.Count * after];
            for (; y + TurnedRows.Count <= from.Height; y += TurnedRows.Count)
            {
                TurnedRows.Turn(from.Pixels.AsSpan(y * before, turned.Length), turned);
                for (var x = 0; x < First.Length; x++)
                    ResizeSums.Group(
                        turned.AsSpan(ResizeSums.GroupSize * First[x]), ResizeSums.GroupSize, Weights(x),
                        resized.AsSpan(ResizeSums.GroupSize * x));
                TurnedRows.TurnBack(resized, to.Pixels.AsSpan(y * after, resized.Length));
            }
        }

        for (; y < from.Height; y++)
            ResizeRow(from.Row(y), to.Row(y));
    }

    /// <summary>Resizes one row of pixels.</summary>
    /// <param name="from">R, G, B of every pixel before.</param>
    /// <param name="to">Receives those after.</param>
    public void ResizeRow(ReadOnlySpan<byte> from, Span<byte> to)
    {
        for (var x = 0; x < First.Length; x++)
        {
            var weights = Weights(x);
            var source = from.Slice(3 * First[x], 3 * weights.Length);
            int red = Half, green = Half, blue = Half;
            for (int i = 0, at = 0; i < weights.Length; i++, at += 3)
            {
                red += source[at] * weights[i];
                green += source[at + 1] * weights[i];
                blue += source[at + 2] * weights[i];
            }

            to[3 * x] = ToByte(red);
            to[3 * x + 1] = ToByte(green);
            to[3 * x + 2] = ToByte(blue);
        }
    }
}
