using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>Sizes of memory and files for people, in the binary units that GPUs and allocators count in: 1 GiB is 1024³ bytes.</summary>
public static class ByteSize
{
    /// <summary>Bytes of a GiB.</summary>
    public const long GiB = 1L << 30;

    private const double MiB = 1 << 20;
    private const double KiB = 1 << 10;

    /// <summary>A size in the unit that suits it: <c>36.0 GiB</c>, <c>812 MiB</c>, <c>4.1 KiB</c>, <c>12 B</c>.</summary>
    /// <param name="bytes">Any number of bytes; a difference may be negative.</param>
    public static string Text(long bytes) => Math.Abs((double)bytes) switch
    {
        >= GiB => Format((double)bytes / GiB, "GiB"),
        >= MiB => Format(bytes / MiB, "MiB"),
        >= KiB => Format(bytes / KiB, "KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
    };

    /// <summary>Two sizes in a sentence that compares them: in bytes where they differ and would look equal.</summary>
    /// <param name="first">The first, in bytes.</param>
    /// <param name="second">The second, in bytes.</param>
    public static (string First, string Second) Pair(long first, long second)
    {
        var (one, other) = (Text(first), Text(second));
        return first == second || one != other ? (one, other) : (Exact(first), Exact(second));
    }

    private static string Exact(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes");

    /// <summary>The sum of sizes; saturates at the largest countable number.</summary>
    /// <param name="sizes">Bytes, none below 0.</param>
    internal static long Sum(IEnumerable<long> sizes)
    {
        long sum = 0;
        foreach (var size in sizes)
            sum = size > long.MaxValue - sum ? long.MaxValue : sum + size;
        return sum;
    }

    private static string Format(double value, string unit) =>
        value.ToString(Math.Abs(value) < 99.95 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + unit;
}
