namespace Dreambooth.Lab.Evaluation;

/// <summary>One picture with what it scored: one line of <c>scores.jsonl</c>.</summary>
public sealed record PictureScores
{
    /// <summary>The picture's file.</summary>
    public required string Path { get; init; }

    /// <summary>What it was to show; null where that is not known.</summary>
    public string? Prompt { get; init; }

    /// <summary>The seed of its noise; null where that is not known.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Its place among the pictures of this prompt and seed, from 0.</summary>
    public int Index { get; init; }

    /// <summary>The LoRA that it was generated with; null for none, or where that is not known.</summary>
    public string? Lora { get; init; }

    /// <summary>The scale of the LoRA; null without one.</summary>
    public double? Scale { get; init; }

    /// <summary>Whether its prompt is the class prompt, without the identifier.</summary>
    public bool IsOfClass { get; init; }

    /// <summary>Who scored it.</summary>
    public string? Judge { get; init; }

    /// <summary>Scores by name; a score that there is no ground for is left out.</summary>
    public IReadOnlyDictionary<string, double> Scores { get; init; } = new Dictionary<string, double>();

    /// <summary>The real picture that it resembles most; null where the judge does not tell.</summary>
    public string? Nearest { get; init; }

    /// <summary>A score, or not a number where it has none of that name.</summary>
    /// <param name="score">The score's name.</param>
    public double this[string score] => Scores.TryGetValue(score, out var value) ? value : double.NaN;

    /// <summary>What makes it the counterpart of a picture of another LoRA; null where prompt or seed are not known.</summary>
    internal (string Prompt, ulong Seed, int Index)? Place => Prompt is { } prompt && Seed is { } seed ? (prompt, seed, Index) : null;
}
