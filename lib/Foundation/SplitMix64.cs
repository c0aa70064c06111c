namespace Dreambooth.Lab.Foundation;

/// <summary>
/// The SplitMix64 generator (Steele, Lea and Flood 2014): turns a seed and a place into well-spread 64-bit numbers, the same
/// on every machine and .NET version.
/// </summary>
internal static class SplitMix64
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>The next number.</summary>
    /// <param name="state">Any number at the start; moves on.</param>
    public static ulong Next(ref ulong state)
    {
        unchecked
        {
            var z = state += Step;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <summary>The number at a place of the sequence that starts with a seed.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="place">From 0.</param>
    public static ulong At(ulong seed, ulong place)
    {
        var state = unchecked(seed + (place * Step));
        return Next(ref state);
    }
}
