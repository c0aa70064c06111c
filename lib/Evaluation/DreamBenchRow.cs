namespace Dreambooth.Lab.Evaluation;

/// <summary>What the benchmark measured of a subject: <c>score.json</c> in its folder.</summary>
internal sealed record DreamBenchRow
{
    /// <summary>The file's name.</summary>
    public const string FileName = "score.json";

    /// <summary>The subject's name.</summary>
    public required string Subject { get; init; }

    /// <summary>What judged.</summary>
    public required string Judge { get; init; }

    /// <summary>Number of prompts.</summary>
    public required int Prompts { get; init; }

    /// <summary>Number of pictures.</summary>
    public required int Pictures { get; init; }

    /// <summary>Mean scores of the generated pictures.</summary>
    public required IReadOnlyDictionary<string, double> Scores { get; init; }

    /// <summary>Lower ends of the scores' 95 % intervals over prompts and seeds; of two pictures or more.</summary>
    public IReadOnlyDictionary<string, double> Low { get; init; } = new Dictionary<string, double>();

    /// <summary>Upper ends.</summary>
    public IReadOnlyDictionary<string, double> High { get; init; } = new Dictionary<string, double>();

    /// <summary>Mean scores of the real pictures among themselves, where the judge has it.</summary>
    public required IReadOnlyDictionary<string, double> Real { get; init; }

    /// <summary>A hash of the settings that the figures depend on.</summary>
    public required string Settings { get; init; }
}
