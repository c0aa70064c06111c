using Dreambooth.Lab.Data;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Profiling;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>A run that was predicted and then measured.</summary>
/// <param name="Name">What is particular about it.</param>
/// <param name="Forecast">What was predicted.</param>
/// <param name="Profile">What was measured.</param>
public sealed record MemoryTrial(string Name, MemoryForecast Forecast, MemoryProfile Profile)
{
    /// <summary>Predicted by measured peak: 1.05 is five per cent too much.</summary>
    public double Ratio => Profile.Peak > 0 ? (double)Forecast.Peak / Profile.Peak : double.NaN;

    /// <summary>Predicts and measures one run.</summary>
    /// <param name="name">What is particular about it.</param>
    /// <param name="config">The training.</param>
    /// <param name="steps">Optimizer steps, at least 1.</param>
    /// <param name="sample">The picture that is generated at its end.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static MemoryTrial Run(
        string name, DreamBoothConfig config, int steps, GenerationRequest sample, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        config = config.WithDataset(null, null, offline: false, cancellation);
        var pictures = PictureFolder.Read(config.PerSubject()[0].InstanceDataDir, BadImagePolicy.Skip).Pictures.Count;
        var planner = new MemoryPlanner(ModelArchitecture.Find(config.PretrainedModelNameOrPath));
        var forecast = planner.Forecast(MemorySettings.Of(config, pictures));
        return new MemoryTrial(name, forecast, ProfiledTraining.Run(config, steps, sample, cancellation: cancellation));
    }

    /// <summary>Predicts and measures several runs.</summary>
    /// <param name="runs">What is particular about each, and the training.</param>
    /// <param name="steps">Optimizer steps of each, at least 1.</param>
    /// <param name="sample">The picture that each generates at its end.</param>
    /// <param name="onTrial">Told how many of how many are done, and the name of the next.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static IReadOnlyList<MemoryTrial> RunAll(
        IReadOnlyList<(string Name, DreamBoothConfig Config)> runs, int steps, GenerationRequest sample,
        Action<int, int, string>? onTrial = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var trials = new List<MemoryTrial>();
        foreach (var (name, config) in runs)
        {
            onTrial?.Invoke(trials.Count, runs.Count, name);
            trials.Add(Run(name, config, steps, sample, cancellation));
        }

        onTrial?.Invoke(trials.Count, trials.Count, string.Empty);
        return trials;
    }
}
