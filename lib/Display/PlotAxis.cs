using System.Globalization;

namespace Dreambooth.Lab.Display;

/// <summary>Maps values to pixels along one axis and finds round values for its ticks.</summary>
/// <param name="From">The value at <paramref name="Start"/>.</param>
/// <param name="To">The value at <paramref name="End"/>; another than <paramref name="From"/>.</param>
/// <param name="Start">Where the axis starts, in pixels.</param>
/// <param name="End">Where it ends, in pixels.</param>
internal readonly record struct PlotAxis(double From, double To, double Start, double End)
{
    /// <summary>Where a value lies; those outside lie on the nearer end.</summary>
    public double At(double value) => Start + ((Math.Clamp(value, From, To) - From) / (To - From) * (End - Start));

    /// <summary>Round values inside the axis, about as many as asked for.</summary>
    public IEnumerable<double> Ticks(int about)
    {
        var step = Step((To - From) / about);
        for (var i = (long)Math.Ceiling(From / step); i * step <= To + (step * 1e-9); i++)
            yield return i * step;
    }

    /// <summary>An axis from 0 to the round value at or above a maximum.</summary>
    public static PlotAxis FromZero(double maximum, int ticks, double start, double end)
    {
        var top = maximum > 0 && double.IsFinite(maximum) ? maximum : 1;
        var step = Step(top / ticks);
        return new PlotAxis(0, Math.Ceiling((top / step) - 1e-9) * step, start, end);
    }

    /// <summary>A value as the label of a tick.</summary>
    public static string Label(double value) => value != 0 && Math.Abs(value) < 0.01
        ? value.ToString("0.##e-0", CultureInfo.InvariantCulture)
        : value.ToString("0.####", CultureInfo.InvariantCulture);

    // 1, 2 or 5 times a power of ten, at or above the exact step.
    private static double Step(double exact)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(exact)));
        var factor = exact / power;
        return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    }
}
