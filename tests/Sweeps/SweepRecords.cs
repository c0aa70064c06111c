using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

/// <summary>Records of pictures that were never drawn.</summary>
internal static class SweepRecords
{
    /// <summary>A record; scores as (name, value).</summary>
    public static SweepResult Record(
        string prompt, double? scale = 1, ulong seed = 0, double guidance = 4, params (string Name, double Value)[] scores) => new()
        {
            Path = $"000_{prompt}/img_00.png",
            Item = new SweepItem
            {
                Prompt = prompt,
                Lora = scale is null ? null : "lora",
                LoraScale = scale ?? 1,
                Seed = seed,
                Guidance = guidance,
            },
            Seconds = 0.25,
            Scores = scores.Length == 0 ? null : scores.ToDictionary(score => score.Name, score => score.Value),
        };
}
