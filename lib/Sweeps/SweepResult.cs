using System.Text.Json.Serialization;

namespace Dreambooth.Lab.Sweeps;

/// <summary>One generated picture: one line of <c>results.jsonl</c>.</summary>
public sealed record SweepResult
{
    /// <summary>The picture's file, relative to the sweep's folder, with slashes.</summary>
    public required string Path { get; init; }

    /// <summary>What it was made with.</summary>
    [JsonPropertyName("settings")]
    public required SweepItem Item { get; init; }

    /// <summary>Wall time in seconds: its share of the batch that it was made in.</summary>
    public required double Seconds { get; init; }

    /// <summary>Scores by name; null where nothing scored it.</summary>
    public IReadOnlyDictionary<string, double>? Scores { get; init; }

    /// <summary>Who scored it (<see cref="Pipelines.IPictureJudge.Name"/>); null where nothing did.</summary>
    public string? Judge { get; init; }

    /// <summary>What its scores depend on (<see cref="Pipelines.IPictureJudge.Fingerprint"/>); null where nothing scored it.</summary>
    public string? JudgeFingerprint { get; init; }

    /// <summary>The model's identity, from <see cref="SweepRunnerOptions.Model"/>; may be null.</summary>
    public string? Model { get; init; }

    /// <summary>
    /// SHA-256 of the LoRA file, in hexadecimal; null without LoRA. If the LoRA was trained again, its pictures are generated again.
    /// </summary>
    public string? LoraSha256 { get; init; }

    /// <summary>
    /// SHA-256 of the picture that it was begun from, and of its mask's file where it has one, in hexadecimal; null for noise.
    /// </summary>
    public string? SourceSha256 { get; init; }

    /// <summary>Whether the picture is the one that an item asks for.</summary>
    internal bool Serves(SweepItem item, string path, string? model, string? loraSha256, string? sourceSha256 = null) =>
        SourceSha256 == sourceSha256 && Path == path && Item.Settings == item.Settings && Model == model && LoraSha256 == loraSha256;
}
