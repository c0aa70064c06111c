using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Sums of weighted bytes for many places at once: what both passes of a resize come down to when neighbouring places share their weights.
/// </summary>
internal static class ResizeSums
{
    /// <summary>How many places <see cref="Group"/> sums at once: 8 pixels of a row, or one pixel of 8 rows.</summary>
    public const int GroupSize = 24;

    private const int Lanes = 8;

    /// <summary>Whether the processor has what <see cref="Group"/> needs.</summary>
    public static bool HasGroups => Avx2.IsSupported;

    /// <summary>Sums <see cref="GroupSize"/> neighbouring places.</summary>
    /// <param name="from">The bytes, from the first place's first on.</param>
    /// <param name="stride">How many bytes further the next weight's are, at least <see cref="GroupSize"/>.</param>
    /// <param name="weights">Fixed-point weights of <see cref="ResizeTaps"/>, at least one.</param>
    /// <param name="to">Receives the levels.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="from"/> or <paramref name="to"/> is too short.</exception>
    public static void Group(ReadOnlySpan<byte> from, int stride, ReadOnlySpan<int> weights, Span<byte> to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from.Length, ((weights.Length - 1) * stride) + GroupSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(to.Length, GroupSize);
        var first = Vector256.Create(ResizeTaps.Half);
        var (second, third) = (first, first);
        ref var at = ref MemoryMarshal.GetReference(from);
        for (var i = 0; i < weights.Length; i++)
        {
            var weight = Vector256.Create(weights[i]);
            ref var row = ref Unsafe.Add(ref at, (nint)i * stride);
            first += Widen(ref row, 0) * weight;
            second += Widen(ref row, Lanes) * weight;
            third += Widen(ref row, 2 * Lanes) * weight;
        }

        Write(first, to);
        Write(second, to[Lanes..]);
        Write(third, to[(2 * Lanes)..]);
    }

    /// <summary>Sums one row of a picture of other rows; the same weights hold for all its bytes.</summary>
    /// <param name="from">The rows that count, one after the other.</param>
    /// <param name="weights">A weight for each.</param>
    /// <param name="to">Receives the row, as long as one of <paramref name="from"/>.</param>
    public static void Row(ReadOnlySpan<byte> from, ReadOnlySpan<int> weights, Span<byte> to)
    {
        var at = 0;
        for (; HasGroups && at + GroupSize <= to.Length; at += GroupSize)
            Group(from[at..], to.Length, weights, to[at..]);
        for (; at < to.Length; at++)
        {
            var sum = ResizeTaps.Half;
            for (int i = 0, place = at; i < weights.Length; i++, place += to.Length)
                sum += from[place] * weights[i];
            to[at] = ResizeTaps.ToByte(sum);
        }
    }

    private static Vector256<int> Widen(ref byte row, int offset) => Avx2.ConvertToVector256Int32(
        Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref row, offset))).AsByte());

    private static void Write(Vector256<int> sums, Span<byte> to)
    {
        var levels = Vector256.Clamp(sums >> ResizeTaps.FractionBits, Vector256<int>.Zero, Vector256.Create(255)).AsUInt32();
        var words = Vector128.Narrow(levels.GetLower(), levels.GetUpper());
        MemoryMarshal.Write(to, Vector128.Narrow(words, words).AsUInt64().ToScalar());
    }
}
