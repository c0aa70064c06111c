using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// Two scores of one LoRA at one scale, which usually trade off against each other: fidelity to the subject, and adherence to the prompt.
/// </summary>
/// <param name="Stage">Which LoRA: <c>step 130</c>, <c>final</c>; "no LoRA" for the model as it is.</param>
/// <param name="Lora">Its path; null for the model as it is.</param>
/// <param name="Scale">Its scale; 0 for the model as it is.</param>
/// <param name="Fidelity">Mean of the first score.</param>
/// <param name="Adherence">Mean of the second score.</param>
/// <param name="IsBest">Whether no other one is at least as good in both and better in one: those on the front of the cloud.</param>
public sealed record SweepTradeOff(string Stage, string? Lora, double Scale, double Fidelity, double Adherence, bool IsBest)
{
    private const double Rounding = 1e-9;

    /// <summary>Groups a sweep's pictures by LoRA and scale.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="fidelity">Name of the first score.</param>
    /// <param name="adherence">Name of the second score.</param>
    /// <returns>In the order of the sweep; not a number where its pictures have no such score.</returns>
    public static IReadOnlyList<SweepTradeOff> Of(SweepOutcome outcome, string fidelity, string adherence)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        var points = outcome.Results.GroupBy(result => (result.Item.Lora, Scale: SweepAxis.ScaleOf(result.Item)))
            .Select(group => (group.Key, Stage: SweepAxis.Stage.LabelOf(group.First().Item), Means: SweepMean.Over(group)))
            .Select(group => new SweepTradeOff(
                group.Stage, group.Key.Lora, group.Key.Scale,
                group.Means.GetValueOrDefault(fidelity, double.NaN), group.Means.GetValueOrDefault(adherence, double.NaN), false)).ToList();
        return [.. points.Select(point => point with { IsBest = point.IsScored && !points.Exists(other => other.Beats(point)) })];
    }

    /// <summary>Whether it has both scores.</summary>
    public bool IsScored => !double.IsNaN(Fidelity) && !double.IsNaN(Adherence);

    /// <summary>
    /// The one to use: of those that follow the prompt nearly as well as the model without LoRA, the one nearest to the subject.
    /// </summary>
    /// <param name="candidates">What <see cref="Of"/> gave, with the model as it is among them where it generated pictures.</param>
    /// <param name="mostFall">How much adherence may fall below the model's own, or the best candidate's where there is none.</param>
    /// <returns>Without scores the last LoRA at the scale nearest to 1; null where there is no LoRA among them.</returns>
    /// <exception cref="LabException"><paramref name="mostFall"/> is below 0.</exception>
    public static SweepTradeOff? Choose(IReadOnlyList<SweepTradeOff> candidates, double mostFall = 0.1)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        if (!(mostFall >= 0))
            throw new LabException($"Adherence may fall by {mostFall}; 0 or more is valid.");
        SweepTradeOff[] loras = [.. candidates.Where(candidate => candidate.Lora is not null)];
        if (loras.Length == 0)
            return null;
        SweepTradeOff[] scored = [.. loras.Where(candidate => candidate.IsScored)];
        if (scored.Length == 0)
            return loras.Where(candidate => candidate.Lora == loras[^1].Lora).MinBy(candidate => Math.Abs(candidate.Scale - 1));
        var own = candidates.FirstOrDefault(candidate => candidate.Lora is null && candidate.IsScored)?.Adherence
            ?? double.PositiveInfinity;
        var floor = Math.Min(own, scored.Max(candidate => candidate.Adherence)) - mostFall;
        return scored.Where(candidate => candidate.Adherence >= floor - Rounding).MaxBy(candidate => candidate.Fidelity);
    }

    private bool Beats(SweepTradeOff other) =>
        Fidelity >= other.Fidelity && Adherence >= other.Adherence && (Fidelity > other.Fidelity || Adherence > other.Adherence);
}
