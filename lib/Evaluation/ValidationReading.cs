using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Evaluation;

/// <summary>What the classifier reads from a run's validation pictures of one step.</summary>
/// <param name="Step">Optimizer steps done; 0 for the model as it was.</param>
/// <param name="Fidelity">Mean cosine of their features to those of the real pictures.</param>
/// <param name="Identity">Part of them that are taken for the character, 0 to 1.</param>
/// <param name="Adherence">Part of what the prompt says that they show, 0 to 1; NaN where it says nothing that can be read.</param>
public sealed record ValidationReading(int Step, double Fidelity, double Identity, double Adherence)
{
    /// <summary>Reads all validation pictures of a run.</summary>
    /// <param name="config">The run's configuration: where they lie and what they were to show.</param>
    /// <param name="measures">The classifier; may be one that knows nothing.</param>
    /// <returns>By step; empty where nothing is known or generated.</returns>
    public static IReadOnlyList<ValidationReading> Of(DreamBoothConfig config, CharacterMeasures measures)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(measures);
        if (!measures.Known || config.ValidationPrompt is not { } prompt)
            return [];
        return
        [
            .. from picture in ValidationPicture.List(config.OutputDir)
               group measures.Read(prompt, ImageDecoder.Load(picture.Path)) by picture.Step into step
               select new ValidationReading(
                   step.Key, step.Average(reading => reading.Fidelity), step.Average(reading => reading.IsCharacter ? 1.0 : 0.0),
                   step.Average(reading => reading.Adherence)),
        ];
    }
}
