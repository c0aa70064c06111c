using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <summary>Options of a sweep's run; all are optional.</summary>
internal sealed record SweepRunnerOptions
{
    /// <summary>Pictures generated at a time, 1 or more. They share all settings but prompt and seed. Default 4.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Whether the pictures' files tell what they were made with; <c>results.jsonl</c> does in any case. Default true.</summary>
    public bool Metadata { get; init; } = true;

    /// <summary>
    /// Pictures that one process takes as a whole where several share the sweep, 1 or more, the same for all of them; null:
    /// <see cref="BatchSize"/>.
    /// </summary>
    public int? UnitSize { get; init; }

    /// <summary>The part of the sweep to generate; null: all of it.</summary>
    public Shard? Shard { get; init; }

    /// <summary>
    /// Identity of the pipeline's model in the records, such as a hash of its files: pictures recorded with another one are generated
    /// again. Null: the model is assumed to be the same.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>
    /// Scores each picture; pictures that another judge scored, or this one with other photos or weights, are scored again. Null for none.
    /// </summary>
    public IPictureJudge? Judge { get; init; }

    /// <summary>Receives the sweep's progress, after each denoising step and each batch.</summary>
    public Action<SweepProgress>? OnProgress { get; init; }

    /// <summary>Receives each new picture with its record, once both are on disk.</summary>
    public Action<SweepResult, RgbImage>? OnPicture { get; init; }
}
