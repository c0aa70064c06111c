namespace Dreambooth.Lab.Schedulers;

/// <summary>Details of DPM-Solver++ and UniPC, as the reference names them.</summary>
internal sealed record MultistepOptions
{
    /// <summary>Whether the last steps are of lower order; in DPM-Solver++ below 15 steps only. Default true.</summary>
    public bool LowerOrderFinal { get; init; } = true;

    /// <summary>DPM-Solver++: whether the last step is of first order; always so where it goes to σ = 0. Default false.</summary>
    public bool EulerAtFinal { get; init; }

    /// <summary>DPM-Solver++ of second order: whether the slope's term is the exact integral (heun), not half of it (midpoint).</summary>
    public bool SolvesHeun { get; init; }

    /// <summary>UniPC: B(h) = h (bh1) instead of e^h − 1 (bh2).</summary>
    public bool UsesBh1 { get; init; }

    /// <summary>UniPC: steps, from 0, that the prediction after them does not correct.</summary>
    public IReadOnlyList<int> DisabledCorrections { get; init; } = [];

    /// <summary>
    /// Whether the levels of a diffusion model (βs from 0.0001 to 0.02) stand where the reference takes them for a flow's: UniPC's Karras
    /// levels, as s / (s + 1), and DPM-Solver++'s last level. Default false.
    /// </summary>
    public bool UsesDiffusionLevels { get; init; }
}
