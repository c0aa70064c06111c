using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// <see cref="Count"/> rows of bytes laid out so that the bytes of one place lie side by side: place by place, within it row by row. A
/// filter along the rows then has the same weights for neighbouring bytes.
/// </summary>
internal static class TurnedRows
{
    /// <summary>How many rows are turned at once.</summary>
    public const int Count = 8;

    /// <summary>Turns rows.</summary>
    /// <param name="rows">The rows, one after the other.</param>
    /// <param name="turned">Receives their bytes; as long.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lengths are not the same, or no multiple of <see cref="Count"/>.</exception>
    public static void Turn(ReadOnlySpan<byte> rows, Span<byte> turned)
    {
        var length = Length(rows, turned);
        var place = Sse2.IsSupported ? TurnEights(rows, length, turned) : 0;
        for (; place < length; place++)
        {
            for (var row = 0; row < Count; row++)
                turned[(Count * place) + row] = rows[(row * length) + place];
        }
    }

    /// <summary>Undoes <see cref="Turn"/>.</summary>
    /// <param name="turned">The turned rows.</param>
    /// <param name="rows">Receives them, one after the other; as long.</param>
    /// <exception cref="ArgumentOutOfRangeException">The lengths are not the same, or no multiple of <see cref="Count"/>.</exception>
    public static void TurnBack(ReadOnlySpan<byte> turned, Span<byte> rows)
    {
        var length = Length(turned, rows);
        for (var row = 0; row < Count; row++)
        {
            var target = rows.Slice(row * length, length);
            for (int place = 0, at = row; place < target.Length; place++, at += Count)
                target[place] = turned[at];
        }
    }

    private static int Length(ReadOnlySpan<byte> from, Span<byte> to)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(to.Length, from.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(from.Length % Count, 0);
        return from.Length / Count;
    }

    // 8 places of 8 rows at a time: three rounds of interleaving, each with the row that stands half a round further.
    private static int TurnEights(ReadOnlySpan<byte> rows, int length, Span<byte> turned)
    {
        ref var from = ref MemoryMarshal.GetReference(rows);
        ref var to = ref MemoryMarshal.GetReference(turned);
        var place = 0;
        for (; place + 8 <= length; place += 8)
        {
            var (r04, r15) = (Pair(ref from, length, place, 0), Pair(ref from, length, place, 1));
            var (r26, r37) = (Pair(ref from, length, place, 2), Pair(ref from, length, place, 3));
            var (even, odd) = (Sse2.UnpackLow(r04, r26), Sse2.UnpackLow(r15, r37));
            var (evenAfter, oddAfter) = (Sse2.UnpackHigh(r04, r26), Sse2.UnpackHigh(r15, r37));
            var target = (nuint)(Count * place);
            Sse2.UnpackLow(even, odd).StoreUnsafe(ref to, target);
            Sse2.UnpackHigh(even, odd).StoreUnsafe(ref to, target + 16);
            Sse2.UnpackLow(evenAfter, oddAfter).StoreUnsafe(ref to, target + 32);
            Sse2.UnpackHigh(evenAfter, oddAfter).StoreUnsafe(ref to, target + 48);
        }

        return place;
    }

    private static Vector128<byte> Pair(ref byte from, int length, int place, int row) => Sse2.UnpackLow(
        Eight(ref Unsafe.Add(ref from, ((nint)row * length) + place)), Eight(ref Unsafe.Add(ref from, ((nint)(row + 4) * length) + place)));

    private static Vector128<byte> Eight(ref byte from) =>
        Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(ref from)).AsByte();
}
