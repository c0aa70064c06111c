using System.Globalization;

namespace Dreambooth.Lab.Evaluation;

/// <summary>A mean score and how sure it is.</summary>
/// <param name="Mean">The mean over all pictures.</param>
/// <param name="Low">Lower end of the interval; null where there is one picture only, which tells nothing of it.</param>
/// <param name="High">Upper end of the interval.</param>
/// <param name="Count">Number of pictures.</param>
public sealed record ScoreInterval(double Mean, double? Low, double? High, int Count)
{
    /// <summary>
    /// The fewest pictures of which is said that a mean lies above or below 0: of fewer the interval is little more than their range, and
    /// as many of one sign come by chance once in 128 times.
    /// </summary>
    internal const int FewestPictures = 8;

    /// <summary>The same of a difference, each number with its sign.</summary>
    internal string Signed => Text("+0.000;−0.000;0.000");

    /// <summary>
    /// Whether the interval lies above 0, of at least 8 pictures: of a difference, that the second is shown to be higher.
    /// </summary>
    public bool IsAboveZero => Low > 0 && Count >= FewestPictures;

    /// <summary>
    /// Whether the interval lies below 0, of at least 8 pictures: of a difference, that the second is shown to be lower.
    /// </summary>
    public bool IsBelowZero => High < 0 && Count >= FewestPictures;

    /// <summary>The mean with its interval, such as <c>0.612 (0.590 … 0.631)</c>.</summary>
    /// <param name="format">How each number is written.</param>
    public string Text(string format = "0.000") => Low is { } low && High is { } high
        ? $"{Number(Mean, format)} ({Number(low, format)} … {Number(high, format)})"
        : Number(Mean, format);

    // What rounds to 0 has no sign.
    private static string Number(double value, string format) =>
        (Math.Round(value, 3) + 0.0).ToString(format, CultureInfo.InvariantCulture);
}
