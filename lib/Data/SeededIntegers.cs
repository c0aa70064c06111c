using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Whole numbers that depend only on a seed and up to two counters: the same on every machine and .NET version. The generator is
/// <see cref="SplitMix64"/>, restarted for each purpose.
/// </summary>
internal struct SeededIntegers
{
    private ulong _state;

    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What is drawn; keeps the draws of different purposes apart.</param>
    /// <param name="first">A counter, as the epoch.</param>
    /// <param name="second">A counter, as the picture's number.</param>
    public SeededIntegers(ulong seed, Purpose purpose, int first = 0, int second = 0)
    {
        _state = seed;
        _state = Next() ^ (ulong)purpose;
        _state = Next() ^ (uint)first;
        _state = Next() ^ (uint)second;
    }

    public enum Purpose
    {
        Order = 1,
        Crop = 2,
        ClassCrop = 3,
        Flip = 4,
        Caption = 5,
        CropOfUse = 6,
    }

    /// <summary>An integer in 0 … <paramref name="count"/> − 1.</summary>
    public int Below(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    private ulong Next() => SplitMix64.Next(ref _state);
}
