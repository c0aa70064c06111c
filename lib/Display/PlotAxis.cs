using System.Globalization;

namespace Dreambooth.Lab.Display;

/// <summary>Maps values to pixels along one axis and finds round values for its ticks.</summary>
/// <param name="From">The value at <paramref name="Start"/>.</param>
/// <param name="To">The value at <paramref name="End"/>; another than <paramref name="From"/>.</param>
/// <param name="Start">Where the axis starts, in pixels.</param>
/// <param name="End">Where it ends, in pixels.</param>
/// <param name="IsLog">Whether equal factors take equal lengths; both ends are above 0 then.</param>
internal readonly record struct PlotAxis(double From, double To, double Start, double End, bool IsLog = false)
{
    /// <summary>Where a value lies; those outside lie on the nearer end.</summary>
    public double At(double value)
    {
        var inside = Math.Clamp(value, From, To);
        var part = IsLog ? Math.Log(inside / From) / Math.Log(To / From) : (inside - From) / (To - From);
        return Start + (part * (End - Start));
    }

    /// <summary>Whether a value has a place on the axis.</summary>
    public bool Has(double value) => double.IsFinite(value) && (!IsLog || value > 0);

    /// <summary>Round values inside the axis, about as many as asked for.</summary>
    public IEnumerable<double> Ticks(int about)
    {
        if (IsLog)
            return LogTicks(about);
        var step = Step((To - From) / about);
        var (from, to) = (From, To);
        return Range(from, to, step);
    }

    /// <summary>An axis from 0 to the round value at or above a maximum.</summary>
    public static PlotAxis FromZero(double maximum, int ticks, double start, double end)
    {
        var top = maximum > 0 && double.IsFinite(maximum) ? maximum : 1;
        var step = Step(top / ticks);
        return new PlotAxis(0, Math.Ceiling((top / step) - 1e-9) * step, start, end);
    }

    /// <summary>An axis that holds all values, its ends at round ones.</summary>
    /// <param name="values">Finite values, above 0 where the axis is logarithmic; none gives 0 … 1 or 1 … 10.</param>
    /// <param name="ticks">About how many ticks there will be.</param>
    /// <param name="start">Where the axis starts, in pixels.</param>
    /// <param name="end">Where it ends, in pixels.</param>
    /// <param name="isLog">Whether it is logarithmic.</param>
    public static PlotAxis Around(IEnumerable<double> values, int ticks, double start, double end, bool isLog = false)
    {
        double[] all = [.. values];
        if (isLog)
        {
            var (low, high) = all.Length == 0 ? (1.0, 10.0) : (LogFloor(all.Min()), LogCeiling(all.Max()));
            return new PlotAxis(low, high > low ? high : low * 10, start, end, true);
        }

        var (from, to) = all.Length == 0 ? (0.0, 1.0) : (all.Min(), all.Max());
        if (to <= from)
            (from, to) = from == 0 ? (0, 1) : (from - (Math.Abs(from) * 0.1), to + (Math.Abs(to) * 0.1));
        var step = Step((to - from) / ticks);
        return new PlotAxis(Math.Floor((from / step) + 1e-9) * step, Math.Ceiling((to / step) - 1e-9) * step, start, end);
    }

    /// <summary>A value as the label of a tick.</summary>
    public static string Label(double value) => value != 0 && (Math.Abs(value) < 0.01 || Math.Abs(value) >= 1e6)
        ? value.ToString("0.##e-0", CultureInfo.InvariantCulture)
        : value.ToString(Math.Abs(value) >= 10_000 ? "#,0" : "0.####", CultureInfo.InvariantCulture);

    private static IEnumerable<double> Range(double from, double to, double step)
    {
        for (var i = (long)Math.Ceiling((from / step) - 1e-9); i * step <= to + (step * 1e-9); i++)
            yield return i * step;
    }

    // Decades; 1, 2 and 5 of each where there are few; every second, third … where there are many.
    private List<double> LogTicks(int about)
    {
        int first = (int)Math.Floor(Math.Log10(From) + 1e-9), last = (int)Math.Ceiling(Math.Log10(To) - 1e-9);
        var skip = Math.Max(1, (int)Math.Ceiling((last - first + 1.0) / (about + 1)));
        double[] factors = (last - first) * 3 <= about * 2 ? [1, 2, 5] : [1];
        var (from, to) = (From * (1 - 1e-9), To * (1 + 1e-9));
        return [.. Enumerable.Range(first, last - first + 1).Where(power => (power - first) % skip == 0)
            .SelectMany(power => factors.Select(factor => factor * Math.Pow(10, power))).Where(value => value >= from && value <= to)];
    }

    private static double LogFloor(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(value) + 1e-9));
        var factor = value / power * (1 + 1e-9);
        return power * (factor >= 5 ? 5 : factor >= 2 ? 2 : 1);
    }

    private static double LogCeiling(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(value) + 1e-9));
        var factor = value / power * (1 - 1e-9);
        return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    }

    // 1, 2 or 5 times a power of ten, at or above the exact step.
    private static double Step(double exact)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(exact)));
        var factor = exact / power;
        return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    }
}
