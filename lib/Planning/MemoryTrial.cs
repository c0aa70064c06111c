using Dreambooth.Lab.Data;
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
    /// <param name="preset">Steps and the picture that is drawn.</param>
    /// <param name="name">What is particular about it.</param>
    /// <param name="config">The training.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static MemoryTrial Run(ProfilePreset preset, string name, DreamBoothConfig config, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(preset);
        ArgumentNullException.ThrowIfNull(config);
        var pictures = PictureFolder.Read(config.InstanceDataDir, BadImagePolicy.Skip).Pictures.Count;
        var planner = new MemoryPlanner(ModelArchitecture.Read(config.PretrainedModelNameOrPath));
        var forecast = planner.Forecast(MemorySettings.Of(config, pictures));
        return new MemoryTrial(name, forecast, ProfiledTraining.Run(config, preset.Steps, preset.Sample, cancellation: cancellation));
    }

    /// <summary>Predicts and measures all runs of a preset.</summary>
    /// <param name="preset">The preset.</param>
    /// <param name="onTrial">Told how many of how many are done, and the name of the next.</param>
    /// <param name="cancellation">Ends the run.</param>
    public static IReadOnlyList<MemoryTrial> RunAll(ProfilePreset preset, Action<int, int, string>? onTrial = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(preset);
        var trials = new List<MemoryTrial>();
        foreach (var (change, config) in preset.Trials)
        {
            onTrial?.Invoke(trials.Count, preset.Trials.Count, change);
            trials.Add(Run(preset, change, config, cancellation));
        }

        onTrial?.Invoke(trials.Count, trials.Count, string.Empty);
        return trials;
    }
}
