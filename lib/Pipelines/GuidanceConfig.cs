using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Refinements of classifier-free guidance. The defaults change nothing.</summary>
public sealed record GuidanceConfig
{
    /// <summary>
    /// Fraction of the predictions, 0 to 1, after which guidance begins (interval guidance, arXiv:2404.07724). Predictions without guidance
    /// are of the prompt alone and take half the time. Default 0.
    /// </summary>
    public double Start { get; init; }

    /// <summary>Fraction of the predictions, 0 to 1, at which guidance ends. Default 1.</summary>
    public double End { get; init; } = 1;

    /// <summary>
    /// How far the guided prediction is scaled back to the standard deviation of the prompt's own, 0 (not at all, the default) to 1 (Lin et
    /// al. 2023, arXiv:2305.08891, section 3.4).
    /// </summary>
    public double Rescale { get; init; }

    /// <summary>
    /// CFG-Zero* (Fan et al. 2025, arXiv:2503.18886): the prediction without prompt is scaled to fit the prompt's best, and the first
    /// <see cref="ZeroSteps"/> predictions are 0. Default false.
    /// </summary>
    public bool ZeroStar { get; init; }

    /// <summary>With <see cref="ZeroStar"/>: predictions at the start that are 0, at least 0; the model is not called. Default 1.</summary>
    public int ZeroSteps { get; init; } = 1;

    /// <summary>
    /// Blocks of perturbed-attention guidance (Ahn et al. 2024, arXiv:2403.17377), numbers from 0 separated by commas; null, the default,
    /// is none. In a second prediction their image tokens see themselves and the text alone, and each step goes away from it, with
    /// classifier-free guidance or without, as in diffusers <c>pipeline_pag_sd_3.py</c>, whose default is block 1. It takes half as long
    /// again.
    /// </summary>
    public string? PerturbedLayers { get; init; }

    /// <summary>Strength of perturbed-attention guidance. Default 3.</summary>
    public double PerturbedScale { get; init; } = 3;

    /// <summary>Says what is wrong.</summary>
    /// <returns>One text an error, for a list of them; none when all is well.</returns>
    internal IEnumerable<string> Errors()
    {
        if (!(Start >= 0 && Start <= End && End <= 1))
            yield return $"guidance goes from {Start} to {End}; both are fractions of the steps, 0 to 1, the start not behind the end";
        if (!(Rescale is >= 0 and <= 1))
            yield return $"guidance_rescale is {Rescale}; 0 to 1 is valid";
        if (ZeroSteps < 0)
            yield return $"zero_steps is {ZeroSteps}; 0 or more is valid";
        if (PerturbedLayers is not null && NumberList.Parse(PerturbedLayers) is null)
            yield return $"perturbed_layers is '{ShownText.Line(PerturbedLayers)}'; valid is a list of layer numbers from 0, such as 1";
        if (!double.IsFinite(PerturbedScale))
            yield return $"perturbed_scale is {PerturbedScale}; a finite number is valid";
    }

    /// <summary>Checks the values.</summary>
    /// <exception cref="LabException">Names every value that is out of range.</exception>
    public void Validate()
    {
        if (string.Join("; ", Errors()) is { Length: > 0 } errors)
            throw new LabException($"The guidance is not valid: {errors}.");
    }

    /// <summary>
    /// Whether a prediction is guided: as diffusers' guiders count, from the whole part of start × count to before that of end × count.
    /// </summary>
    /// <param name="call">The prediction, from 0.</param>
    /// <param name="count">All predictions.</param>
    internal bool GuidesAt(int call, int count) => call >= (int)(Start * count) && call < (int)(End * count);
}
