using System.Numerics;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>
/// A small deterministic generator: xoshiro256** (Blackman and Vigna, 2018), its state filled by SplitMix64. The same seed and
/// stream give the same numbers on every platform and .NET version. Not safe for use by several threads at once.
/// </summary>
internal sealed class SeededRandom
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    /// <summary>Starts a sequence.</summary>
    /// <param name="seed">Any number; neighbours give unrelated sequences.</param>
    /// <param name="stream">Names one of many unrelated sequences of a seed.</param>
    public SeededRandom(ulong seed, ulong stream = 0)
    {
        var state = Mix(seed) ^ Mix(stream + 0x51ED270B0B0B0B0BUL);
        _s0 = SplitMix64.Next(ref state);
        _s1 = SplitMix64.Next(ref state);
        _s2 = SplitMix64.Next(ref state);
        _s3 = SplitMix64.Next(ref state);
    }

    /// <summary>One scrambling round of SplitMix64: a bijection of the 64-bit numbers, used also as a hash.</summary>
    /// <param name="value">Any number.</param>
    public static ulong Mix(ulong value) => SplitMix64.At(value, 0);

    /// <summary>The next 64 random bits.</summary>
    public ulong NextBits()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A number in [0, 1).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="low">The least value.</param>
    /// <param name="high">The bound above.</param>
    public float Range(float low, float high) => low + ((float)NextDouble() * (high - low));

    /// <summary>A whole number in [0, <paramref name="count"/>).</summary>
    /// <param name="count">At least 1.</param>
    public int Index(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return (int)(NextDouble() * count);
    }

    /// <summary>True with the given probability.</summary>
    /// <param name="probability">0 to 1.</param>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>One of the items, each equally likely.</summary>
    /// <typeparam name="T">What the items are.</typeparam>
    /// <param name="items">At least one.</param>
    public T Pick<T>(IReadOnlyList<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items[Index(items.Count)];
    }
}
