using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>The inputs of a demonstration; all paths are absolute.</summary>
internal sealed record DemoOptions
{
    /// <summary>The training, with the demonstration's own folders in it.</summary>
    public required DreamBoothConfig Training { get; init; }

    /// <summary>The folder that everything is written to.</summary>
    public required string Output { get; init; }

    /// <summary>The folder of the prompt lists.</summary>
    public required string Prompts { get; init; }

    /// <summary>Seed of the first picture's noise; further prompts count up.</summary>
    public ulong Seed { get; init; }

    /// <summary>Denoising steps of every picture; more do not serve the miniature better (data/sd3-mini/DREAMBOOTH.md).</summary>
    public int Steps { get; init; } = 14;

    /// <summary>Classifier-free guidance of every picture; 3 serves the miniature with a LoRA best.</summary>
    public double Guidance { get; init; } = 3.0;

    /// <summary>Pictures of each validation prompt, before and after.</summary>
    public int ValidationSeeds { get; init; } = 2;

    /// <summary>Prompts of each family to generate, from the top of its list.</summary>
    public int PromptsPerFamily { get; init; } = 10;

    /// <summary>Pictures generated at a time: half of a sweep; on two cores larger batches are no faster.</summary>
    public int BatchSize { get; init; } = 5;

    /// <summary>Scores each picture; null for none.</summary>
    public IPictureJudge? Judge { get; init; }
}
