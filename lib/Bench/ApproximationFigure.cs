using Dreambooth.Lab.Evaluation;

namespace Dreambooth.Lab.Bench;

/// <summary>What an approximation costs and what it loses.</summary>
/// <param name="Approximation">Which.</param>
/// <param name="Seconds">Wall time a picture of the small model; includes decoding and judging.</param>
/// <param name="Fidelity">Likeness to the subject's photos.</param>
/// <param name="Adherence">How far pictures show what their prompts say.</param>
/// <param name="FidelityChange">Less the exact pictures', picture by picture; null for these.</param>
/// <param name="AdherenceChange">The same of adherence.</param>
/// <param name="Difference">Root mean square difference to the exact pictures, in steps of 255; 0 for these.</param>
internal sealed record ApproximationFigure(
    Approximation Approximation, double Seconds, ScoreInterval Fidelity, ScoreInterval Adherence, ScoreInterval? FidelityChange,
    ScoreInterval? AdherenceChange, double Difference)
{
    /// <summary>Seconds a picture at full size on a GPU, from <c>bench full-size</c>; null where that was not run.</summary>
    public double? FullSizeSeconds { get; init; }

    /// <summary>Whether no loss is shown: neither change lies below 0 with its whole interval.</summary>
    public bool IsAsGood => FidelityChange is not { IsBelowZero: true } && AdherenceChange is not { IsBelowZero: true };
}
