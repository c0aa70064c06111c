using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Schedulers;

/// <summary>Which sampler, at which noise levels. The defaults are those of the published models.</summary>
public sealed record SamplerConfig
{
    private const double ShiftAtSmallest = 0.5, ShiftAtLargest = 1.15;
    private const int SmallestPatches = 256, LargestPatches = 4096;

    /// <summary>The sampler. Default Euler.</summary>
    public SamplerKind Kind { get; init; }

    /// <summary>The spacing of the noise levels. Default the model's own.</summary>
    public SigmaSchedule Sigmas { get; init; }

    /// <summary>
    /// Whether DPM-Solver++ and UniPC give the model whole timesteps, rounded down, as the reference does, though they step from the exact
    /// ones. Default false: the model is told the level that its input has. Without effect on the other samplers.
    /// </summary>
    public bool TruncateTimesteps { get; init; }

    /// <summary>μ of <see cref="SigmaSchedule.Dynamic"/>; null: by the picture's size.</summary>
    internal double? Mu { get; init; }

    /// <summary>With <see cref="SigmaSchedule.Dynamic"/>: shift by μ itself instead of e^μ.</summary>
    internal bool ShiftsByMu { get; init; }

    /// <summary>The last level before the end, to which all are stretched; null: they stay as they are.</summary>
    internal double? ShiftTerminal { get; init; }

    /// <summary>Details of DPM-Solver++ and UniPC.</summary>
    internal MultistepOptions Multistep { get; init; } = new();

    /// <summary>Whether noise is added at every step.</summary>
    internal bool DrawsNoise => Kind is SamplerKind.EulerStochastic or SamplerKind.Lcm or SamplerKind.DpmPlusPlus2MSde
        or SamplerKind.DpmPlusPlus3MSde;

    /// <summary>Predictions of the model that a run takes (guidance doubles each).</summary>
    /// <param name="steps">Its steps, from 1.</param>
    public int ModelCalls(int steps) => Kind == SamplerKind.Heun ? (2 * steps) - 1 : steps;

    /// <summary>μ of a picture's size: on the line through 0.5 at 256 and 1.15 at 4096 patches, not clamped.</summary>
    /// <param name="patches">Patches of the picture in the transformer: rows × columns.</param>
    internal static double MuOf(long patches)
    {
        var slope = (ShiftAtLargest - ShiftAtSmallest) / (LargestPatches - SmallestPatches);
        return (patches * slope) + (ShiftAtSmallest - (slope * SmallestPatches));
    }

    /// <summary>The sampler of one run.</summary>
    /// <param name="model">The model's noise schedule.</param>
    /// <param name="steps">Steps, from 1.</param>
    /// <param name="patches">Patches of the picture, for <see cref="SigmaSchedule.Dynamic"/>.</param>
    /// <exception cref="LabException">A value is out of range.</exception>
    internal Sampler Create(FlowMatchEulerDiscreteSchedulerConfig model, int steps, long patches)
    {
        model.Validate();
        Validate();
        if (steps < 1)
            throw new LabException($"The number of inference steps is {steps}; it must be at least 1.");
        return Kind switch
        {
            SamplerKind.Heun => new HeunSampler(SigmaTable.Flow(this, model, steps, patches).Doubled()),
            SamplerKind.EulerStochastic or SamplerKind.Lcm => new RenoisingSampler(SigmaTable.Flow(this, model, steps, patches)),
            SamplerKind.DpmPlusPlus2M => Dpm(2, addsNoise: false),
            SamplerKind.DpmPlusPlus2MSde => Dpm(2, addsNoise: true),
            SamplerKind.DpmPlusPlus3M => Dpm(3, addsNoise: false),
            SamplerKind.DpmPlusPlus3MSde => Dpm(3, addsNoise: true),
            SamplerKind.UniPC => UniPC(2),
            SamplerKind.UniPC3 => UniPC(3),
            _ => new EulerSampler(SigmaTable.Flow(this, model, steps, patches)),
        };

        Sampler Dpm(int order, bool addsNoise) =>
            new DpmSolverSampler(SigmaTable.DpmSolver(this, model, steps, patches), order, addsNoise, Multistep);

        Sampler UniPC(int order) => new UniPCSampler(SigmaTable.UniPC(this, model, steps, patches), order, Multistep);
    }

    /// <summary>Checks the values.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (!Enum.IsDefined(Kind))
            errors.Add($"sampler is {(int)Kind}; it is none of {nameof(SamplerKind)}'s");
        if (!Enum.IsDefined(Sigmas))
            errors.Add($"sigmas is {(int)Sigmas}; it is none of {nameof(SigmaSchedule)}'s");
        if (Mu is { } mu && (!double.IsFinite(mu) || (ShiftsByMu && mu <= 0)))
            errors.Add($"mu is {mu}; a finite number is needed, above 0 where it is the shift itself");
        if (ShiftTerminal is { } terminal && terminal is not (> 0 and < 1))
            errors.Add($"shift_terminal is {terminal}; it must be between 0 and 1");
        if (errors.Count > 0)
            throw new LabException($"The sampler's settings are wrong: {string.Join("; ", errors)}.");
    }
}
