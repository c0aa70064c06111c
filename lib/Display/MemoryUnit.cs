using System.Globalization;

namespace Dreambooth.Lab.Display;

/// <summary>Writes bytes in GiB or MiB.</summary>
internal static class MemoryUnit
{
    /// <summary>Bytes of a GiB.</summary>
    public const double GiB = 1L << 30;

    /// <summary>Bytes of a MiB.</summary>
    public const double MiB = 1L << 20;

    /// <summary>The unit in which figures up to this one read best.</summary>
    public static (string Name, double Bytes) For(double largest) => largest >= GiB ? ("GiB", GiB) : ("MiB", MiB);

    /// <summary>Bytes with their unit: "36.0 GiB", "512 MiB".</summary>
    public static string Text(double bytes)
    {
        var (name, unit) = For(Math.Abs(bytes));
        var value = bytes / unit;
        return value.ToString(Math.Abs(value) >= 100 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + name;
    }
}
