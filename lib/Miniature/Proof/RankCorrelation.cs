namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>How far two scores put the same things in one order.</summary>
internal static class RankCorrelation
{
    /// <summary>Spearman's correlation of ranks; equal values share the mean of their ranks.</summary>
    /// <param name="first">Values of at least two things.</param>
    /// <param name="second">Other values of the same.</param>
    /// <returns>−1 to 1; NaN where all values of one are equal.</returns>
    /// <exception cref="ArgumentException">There are fewer than two, or not as many of both.</exception>
    public static double Spearman(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count < 2 || first.Count != second.Count)
            throw new ArgumentException(
                $"{first.Count} and {second.Count} values; as many of both, at least 2, are needed.", nameof(second));
        double[] a = Ranks(first), b = Ranks(second);
        // The mean of the ranks 0 to n − 1, with equal values too.
        var mean = (first.Count - 1) / 2.0;
        double Product(double[] x, double[] y) => x.Zip(y).Sum(pair => (pair.First - mean) * (pair.Second - mean));
        return Product(a, b) / Math.Sqrt(Product(a, a) * Product(b, b));
    }

    private static double[] Ranks(IReadOnlyList<double> values) =>
        [.. values.Select(value => values.Count(other => other < value) + ((values.Count(other => other == value) - 1) / 2.0))];
}
