namespace Dreambooth.Lab.Planning;

/// <summary>A phase of a run, predicted and measured; peaks in bytes.</summary>
/// <param name="Phase"><c>load</c>, <c>encode</c>, <c>cache</c>, <c>step</c>, <c>sample</c> or <c>decode</c>.</param>
/// <param name="Predicted">What the planner says.</param>
/// <param name="Measured">The most that tensors held, where that is counted; else the same as <paramref name="Device"/>.</param>
/// <param name="Device">
/// The most in use over what was in use before, as the timeline's figure counts it: on a GPU NVML's, with reserved memory.
/// </param>
/// <param name="Seconds">How long it took.</param>
public sealed record CalibrationPhase(string Phase, long Predicted, long Measured, long Device, double Seconds)
{
    /// <summary>Predicted by measured: 1.05 is five per cent too much.</summary>
    public double Ratio => Measured > 0 ? (double)Predicted / Measured : double.NaN;
}
