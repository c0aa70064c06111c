using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>How the rank of each layer is chosen.</summary>
/// <param name="Rank">The largest rank, 1 or more; null for no limit.</param>
/// <param name="Energy">
/// The part of the sum of squared singular values that a layer keeps, above 0 and up to 1; null for all up to <paramref name="Rank"/>.
/// </param>
internal sealed record LoraRankChoice(int? Rank, double? Energy)
{
    /// <summary>Whether anything was chosen.</summary>
    public bool IsGiven => Rank is not null || Energy is not null;

    /// <summary>Checks the values.</summary>
    /// <exception cref="UsageException">One is out of range, or both are missing.</exception>
    public void Validate()
    {
        if (!IsGiven)
            throw new UsageException("Neither --rank nor --energy is given; give --rank N, --energy 0.99, or both: then the smaller rank.");
        if (Rank < 1)
            throw new UsageException($"--rank is {Rank}; it must be 1 or more.");
        if (Energy is not (null or (> 0 and <= 1)))
            throw new UsageException(FormattableString.Invariant($"--energy is {Energy}; it must be above 0 and at most 1."));
    }

    /// <summary>The rank of a layer.</summary>
    /// <param name="spectrum">Its change.</param>
    public int Of(LoraSpectrum spectrum) => Math.Min(
        Rank ?? int.MaxValue, Energy is { } energy ? spectrum.RankFor(energy) : (int)spectrum.Values.shape[0]);
}
