using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Planning;

/// <summary>What a phase of a run is predicted to hold at its peak.</summary>
/// <param name="Phase"><c>load</c>, <c>encode</c>, <c>cache</c>, <c>step</c>, <c>sample</c>, <c>decode</c> or <c>score</c>.</param>
/// <param name="Terms">What takes the memory.</param>
public sealed record PhaseForecast(string Phase, IReadOnlyList<MemoryTerm> Terms)
{
    /// <summary>All terms together, in bytes.</summary>
    public long Total => ByteSize.Sum(Terms.Select(term => term.Bytes));

    /// <summary>The counted terms together, in bytes.</summary>
    public long Exact => ByteSize.Sum(Terms.Where(term => term.IsExact).Select(term => term.Bytes));
}
