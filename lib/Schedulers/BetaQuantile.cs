namespace Dreambooth.Lab.Schedulers;

/// <summary>Quantiles of the beta distribution with α = β = 0.6.</summary>
internal static class BetaQuantile
{
    private const double Shape = 0.6;

    // B(0.6, 0.6) = Γ(0.6)² / Γ(1.2).
    private const double Whole = 1.4891922488128171 * 1.4891922488128171 / 0.9181687423997606;

    /// <summary>The value below which a part of the distribution lies.</summary>
    /// <param name="part">0 to 1.</param>
    /// <returns>0 to 1, to about 1e-15.</returns>
    public static double Of(double part)
    {
        if (part > 0.5)
            return 1 - Of(1 - part);
        double low = 0, high = 0.5;
        while (true)
        {
            var middle = (low + high) / 2;
            if (middle <= low || middle >= high)
                return high;
            if (Below(middle) < part)
                low = middle;
            else
                high = middle;
        }
    }

    // The incomplete beta function as a power series; x is at most 1/2.
    private static double Below(double x)
    {
        double sum = 0, factor = 1;
        for (var k = 0; k < 60; k++)
        {
            sum += factor / (Shape + k);
            factor *= x * (k + 1 - Shape) / (k + 1);
        }

        return Math.Pow(x, Shape) * sum / Whole;
    }
}
