namespace Dreambooth.Lab.Bench;

/// <summary>
/// LoRA trainings on the same weights, latents and prompts: in float32, in bfloat16 with the same draws and the same initial LoRA, in
/// float32 with another initial LoRA, and in float32 with other draws. A loss per optimizer step each.
/// </summary>
/// <param name="Float32">Losses in float32.</param>
/// <param name="BFloat16">Losses in bfloat16 (the LoRA, the loss and the optimizer in float32).</param>
/// <param name="OtherLora">Losses in float32 from another initial LoRA, on the same draws.</param>
/// <param name="OtherDraws">Losses in float32 with other noise and timesteps, from another initial LoRA: another seed.</param>
internal sealed record CurvePrecision(
    IReadOnlyList<double> Float32, IReadOnlyList<double> BFloat16, IReadOnlyList<double> OtherLora, IReadOnlyList<double> OtherDraws)
{
    /// <summary>The largest mean relative difference of the losses that passes.</summary>
    public const double Limit = 1e-2;

    /// <summary>What passes, a sentence.</summary>
    public const string Criterion =
        "bfloat16's losses differ from float32's by at most 1 % on average, and by less than those of another seed in float32 do.";

    /// <summary>Mean over the steps of |bf16 − fp32| / fp32.</summary>
    public double MeanDifference => Differences(BFloat16).Average();

    /// <summary>The largest |bf16 − fp32| / fp32 of a step.</summary>
    public double MaxDifference => Differences(BFloat16).Max();

    /// <summary>Mean relative difference between float32's curve and the one from another initial LoRA.</summary>
    public double MeanOfOtherLora => Differences(OtherLora).Average();

    /// <summary>Mean relative difference between float32's curve and another seed's.</summary>
    public double MeanOfOtherSeed => Differences(OtherDraws).Average();

    /// <summary>How much float32's loss falls: mean of the first fifth of the steps over that of the last fifth.</summary>
    public double Fall => Float32.Take(Fifth).Average() / Float32.TakeLast(Fifth).Average();

    /// <summary>Whether <see cref="Criterion"/> holds.</summary>
    public bool Passed => MeanDifference <= Limit && MeanDifference < MeanOfOtherSeed;

    private int Fifth => Math.Max(1, Float32.Count / 5);

    private IEnumerable<double> Differences(IReadOnlyList<double> losses) =>
        losses.Zip(Float32, (loss, exact) => Math.Abs(loss - exact) / exact);
}
