using System.Globalization;
using System.Numerics;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// A fingerprint of what a picture looks like, 64 bits: the picture is shrunk to 9 × 8 grey pixels, and each bit says whether one is
/// brighter than its right neighbour. Resizing, recompressing and a change of brightness leave it nearly as it is.
/// </summary>
/// <param name="Bits">The comparisons, rows from the top, the first in the highest bit.</param>
public readonly record struct DifferenceHash(ulong Bits)
{
    private const int Columns = 9;
    private const int Rows = 8;

    /// <summary>Computes the fingerprint of a picture.</summary>
    /// <param name="image">Any picture.</param>
    public static DifferenceHash Of(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var small = ImageResizer.Resize(image, Columns, Rows);
        ulong bits = 0;
        for (var y = 0; y < Rows; y++)
        {
            for (var x = 0; x < Columns - 1; x++)
                bits = (bits << 1) | (Sharpness.Grey(small[x, y]) > Sharpness.Grey(small[x + 1, y]) ? 1UL : 0);
        }

        return new DifferenceHash(bits);
    }

    /// <summary>Bits that differ, 0 (looks the same) to 64; unrelated pictures differ in about 32.</summary>
    /// <param name="other">Another picture's fingerprint.</param>
    public int DistanceTo(DifferenceHash other) => BitOperations.PopCount(Bits ^ other.Bits);

    /// <summary>The bits as 16 hexadecimal digits.</summary>
    public override string ToString() => Bits.ToString("x16", CultureInfo.InvariantCulture);
}
