using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// How much a LoRA changed a picture, compared with what the model generated without it from the same prompt, noise and settings.
/// </summary>
/// <param name="Result">The picture with the LoRA.</param>
/// <param name="Before">The picture without.</param>
/// <param name="Distance">Mean absolute difference of the colour channels, 0 (the same picture) to 1.</param>
public sealed record SweepDrift(SweepResult Result, SweepResult Before, double Distance)
{
    /// <summary>Compares every picture with its counterpart without LoRA; pictures without one are left out.</summary>
    /// <param name="outcome">A sweep whose LoRA axis has null.</param>
    /// <exception cref="LabException">No picture has a counterpart.</exception>
    public static IReadOnlyList<SweepDrift> Of(SweepOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        var before = outcome.Results.Where(result => result.Item.Lora is null).ToDictionary(result => result.Item.Settings);
        var pictures = before.ToDictionary(entry => entry.Key, entry => ImageDecoder.Load(outcome.PathOf(entry.Value)));
        SweepDrift[] drifts =
        [
            .. from result in outcome.Results
               where result.Item.Lora is not null
               let settings = result.Item.Settings with { Lora = null, LoraScale = 1 }
               where before.ContainsKey(settings)
               select new SweepDrift(result, before[settings], Compare(pictures[settings], ImageDecoder.Load(outcome.PathOf(result)))),
        ];
        return drifts.Length > 0
            ? drifts
            : throw new LabException(
                $"The sweep '{outcome.Name}' has no pictures with and without LoRA to compare: its LoRA axis needs null beside the LoRA.");
    }

    /// <summary>Means by one axis.</summary>
    /// <param name="drifts">What to average.</param>
    /// <param name="axis">What makes groups.</param>
    /// <returns>In the order in which the groups first come.</returns>
    public static IReadOnlyList<(string Label, double Mean)> By(IEnumerable<SweepDrift> drifts, SweepAxis axis)
    {
        ArgumentNullException.ThrowIfNull(axis);
        return [.. drifts.GroupBy(drift => axis.LabelOf(drift.Result.Item))
            .Select(group => (group.Key, group.Average(drift => drift.Distance)))];
    }

    private static double Compare(RgbImage first, RgbImage second)
    {
        if (first.Width != second.Width || first.Height != second.Height)
            throw new LabException(
                "Two pictures of the same settings have different sizes; the sweep's folder was changed by something else.");
        return PictureDifference.Between(first, second).Mean / 255;
    }
}
