using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Planning;

/// <summary>The memory mode of a run: the requested one, or the first that is predicted to fit.</summary>
/// <param name="Settings">The run with its mode.</param>
/// <param name="Reason">What was picked and why, a sentence; empty where nothing was left to pick.</param>
internal sealed record MemoryChoice(MemorySettings Settings, string Reason)
{
    /// <summary>Makes the choice.</summary>
    /// <param name="asked">What the user asks for.</param>
    /// <param name="model">The model's sizes, or null where they are not known; auto is fast then.</param>
    /// <param name="settings">The run.</param>
    /// <param name="available">What the device has free, or null where that is not known; auto is fast then.</param>
    public static MemoryChoice Make(MemoryMode asked, ModelArchitecture? model, MemorySettings settings, AvailableMemory? available)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (model is null || available is not { } memory || asked is MemoryMode.Fast or MemoryMode.Balanced)
        {
            var unknown = model is null ? "the model's sizes are" : "the device's free memory is";
            return asked == MemoryMode.Auto
                ? new(
                    settings with { Memory = MemoryMode.Fast }, $"Memory mode fast: {unknown} not known, so that nothing can be predicted.")
                : new(settings with { Memory = asked }, string.Empty);
        }

        var usable = MemoryPlanner.Usable(memory.Bytes, memory.IsGpu);
        var planner = new MemoryPlanner(model);
        var forecasts = planner.ByMode(settings)
            .Where(forecast => asked == MemoryMode.Auto || forecast.Settings.Memory == asked).ToList();
        var first = forecasts.FirstOrDefault(forecast => forecast.Peak <= usable) ?? forecasts[^1];
        var chosen = first.Settings.StreamsBlocks ? planner.WithResidentBlocks(first, usable) : first;
        var others = forecasts.TakeWhile(forecast => forecast != first)
            .Select(forecast => $"{Name(forecast.Settings)} would need {ByteSize.Text(forecast.Peak)}").ToList();
        var (peak, free) = ByteSize.Pair(chosen.Peak, memory.Bytes);
        var place = $"{free} {memory.Place}{(chosen.Peak <= usable ? string.Empty : ": that may not be enough")}";
        var rest = others.Count == 0 ? string.Empty : $"; {string.Join(", ", others)}";
        var reason = $"Memory mode {Name(chosen.Settings)}: {peak} by prediction, {place}{rest}.";
        return new(chosen.Settings, asked == MemoryMode.Auto || chosen.Settings.StreamTransformer ? reason : string.Empty);
    }

    /// <summary>A mode's name, as a message and a table say it.</summary>
    /// <param name="settings">Settings with the mode.</param>
    public static string Name(MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.Memory switch
        {
            MemoryMode.Balanced => "balanced",
            MemoryMode.Low => settings switch
            {
                { StreamsBlocks: false } => "low",
                { ResidentBlocks: 0 } => "low, the transformer block by block",
                _ => $"low, the transformer block by block but for {settings.ResidentBlocks} that stay",
            },
            _ => "fast",
        };
    }
}
