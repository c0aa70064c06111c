using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Evaluation;

/// <summary>Scores of a run's validation pictures of one step.</summary>
/// <param name="Step">Optimizer steps done; 0 for the model as it was.</param>
/// <param name="Scores">Mean over the pictures by score, over those that have it.</param>
public sealed record ValidationReading(int Step, IReadOnlyDictionary<string, double> Scores)
{
    /// <summary>Scores all validation pictures of a run.</summary>
    /// <param name="config">The run's configuration: where they lie and what they were to show.</param>
    /// <param name="judge">Scores them.</param>
    /// <returns>By step; empty where nothing was generated.</returns>
    public static IReadOnlyList<ValidationReading> Of(DreamBoothConfig config, IPictureJudge judge)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(judge);
        if (config.ValidationPrompt is not { } prompt)
            return [];
        return
        [
            .. from picture in ValidationPicture.List(config.OutputDir)
               group judge.Score(prompt, ImageDecoder.Load(picture.Path)) by picture.Step into step
               select new ValidationReading(
                   step.Key, step.SelectMany(scores => scores).GroupBy(score => score.Key, score => score.Value)
                       .ToDictionary(score => score.Key, score => score.Average())),
        ];
    }
}
