using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using BatchScores = System.Collections.Generic.IReadOnlyList<System.Collections.Generic.IReadOnlyDictionary<string, double>>;

namespace Dreambooth.Lab.Training;

/// <summary>The mean scores of the validation pictures during a training.</summary>
internal sealed class ValidationScores : IDisposable
{
    /// <summary>So many pictures are in memory at a time, and a judge may take them in one batch.</summary>
    public const int Batch = 8;

    private readonly DreamBoothConfig _config;
    private IPictureJudge? _judge;

    private ValidationScores(DreamBoothConfig config, IPictureJudge judge) => (_config, _judge, Judge) = (config, judge, judge.Name);

    /// <summary>What judges; it stands beside the figures.</summary>
    public string Judge { get; }

    /// <summary>Opens the judge of a training, before a model is loaded.</summary>
    /// <returns>Null where nothing is scored.</returns>
    /// <exception cref="LabException">There is no judge for this training, or what it needs is missing.</exception>
    public static ValidationScores? Open(DreamBoothConfig config, TrainingEvents? events)
    {
        if (config.EvaluationSteps is null)
            return config.WatchSteps is null ? null : OpenIfThere(config, events);
        if (events?.OpenJudge is not { } open)
            throw new LabException("evaluation_steps needs a judge: set TrainingEvents.OpenJudge, or leave evaluation_steps out.");
        events.OnStage?.Invoke("Opening the judge of the validation pictures");
        return new ValidationScores(config, open(config));
    }

    // Pictures can be watched without a judge; encoders that are named must be there.
    private static ValidationScores? OpenIfThere(DreamBoothConfig config, TrainingEvents? events)
    {
        if (events?.OpenJudge is not { } open)
            return null;
        try
        {
            return new ValidationScores(config, open(config));
        }
        catch (LabException error) when (config.EvaluationDino is null)
        {
            events.OnWarning?.Invoke($"watch_steps names no nearest photos. {error.Message}");
            return null;
        }
    }

    /// <summary>Whether pictures are scored after a step.</summary>
    public bool IsDue(int step, int maxSteps) => _config.EvaluationSteps is { } every && step > 0
        && (step == 1 || step % every == 0 || step == maxSteps);

    /// <summary>Scores pictures of the validation prompt.</summary>
    /// <param name="images">The pictures; each is asked for once.</param>
    /// <param name="withRoom">Scores a batch where memory allows it beside the recorded step, else without that.</param>
    /// <returns>Means by name, over the pictures that have the score; null where there is none.</returns>
    public IReadOnlyDictionary<string, double>? Measure(
        IEnumerable<RgbImage> images, Func<Func<BatchScores>, BatchScores> withRoom)
    {
        var values = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (var batch in images.Chunk(Batch))
        {
            foreach (var (name, value) in withRoom(() => _judge!.Score(_config.ValidationPrompt!, batch)).SelectMany(scores => scores))
            {
                if (!values.TryGetValue(name, out var list))
                    values[name] = list = [];
                list.Add(value);
            }
        }

        return values.Count == 0 ? null : values.ToDictionary(entry => entry.Key, entry => entry.Value.Average());
    }

    /// <summary>The nearest photos of some pictures, picture by picture; null where the judge cannot tell.</summary>
    /// <param name="images">The pictures.</param>
    public IReadOnlyList<NearestTrainingPicture>? Nearest(IReadOnlyList<RgbImage> images)
    {
        var all = new List<NearestTrainingPicture>();
        foreach (var batch in images.Chunk(Batch))
        {
            if (_judge!.Nearest(batch) is not { } nearest)
                return null;
            all.AddRange(nearest);
        }

        return all;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _judge?.Dispose();
        _judge = null;
    }
}
