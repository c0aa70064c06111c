namespace Dreambooth.Lab.Imaging;

/// <summary>The cubic that bicubic filters weigh with (Keys 1981, doi:10.1109/TASSP.1981.1163711).</summary>
internal static class CubicConvolution
{
    /// <summary>The weight at a distance.</summary>
    /// <param name="x">The distance in places; from 2 on the weight is 0.</param>
    /// <param name="a">The slope at 1: −1/2 in PIL and in antialiased torch, −3/4 in plain torch.</param>
    public static double Weight(double x, double a)
    {
        x = Math.Abs(x);
        return x switch
        {
            < 1.0 => (((a + 2.0) * x - (a + 3.0)) * x * x) + 1,
            < 2.0 => ((((x - 5) * x + 8) * x) - 4) * a,
            _ => 0.0,
        };
    }
}
