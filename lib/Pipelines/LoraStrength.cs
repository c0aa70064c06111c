using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Pipelines;

/// <summary>One picture generated with a LoRA at some strength, and how it differs from the one without.</summary>
/// <param name="Weight">The LoRA's weight: 0 off, 1 as trained.</param>
/// <param name="Picture">The picture.</param>
/// <param name="Difference">How it differs from the picture at weight 0 of the same seed.</param>
public sealed record LoraStrength(double Weight, RgbImage Picture, PictureDifference Difference)
{
    /// <summary>
    /// Generates one picture, from the same noise, with an adapter off and at several weights; the adapter's own weight is restored
    /// afterwards.
    /// </summary>
    /// <param name="pipeline">The models, with the adapter loaded.</param>
    /// <param name="adapter">One of the pipeline's adapters.</param>
    /// <param name="request">What to generate; its first picture is taken.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <returns>One entry for each weight.</returns>
    public static IReadOnlyList<LoraStrength> Generate(
        StableDiffusion3Pipeline pipeline, LoraAdapter adapter, GenerationRequest request, IReadOnlyList<double> weights,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(adapter);
        ArgumentNullException.ThrowIfNull(weights);
        var own = adapter.Weight;
        RgbImage At(double weight)
        {
            adapter.Weight = weight;
            return pipeline.Generate(request, cancellation: cancellation)[0];
        }

        try
        {
            var without = At(0);
            return [.. weights.Select(weight => (Weight: weight, Picture: weight == 0 ? without : At(weight)))
                .Select(entry => new LoraStrength(entry.Weight, entry.Picture, PictureDifference.Between(without, entry.Picture)))];
        }
        finally
        {
            adapter.Weight = own;
        }
    }
}
