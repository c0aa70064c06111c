using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Sweeps;

/// <summary>How a sweep is run; every part may be left out.</summary>
internal sealed record SweepRunnerOptions
{
    /// <summary>Pictures generated at a time, 1 or more. They share all settings but prompt and seed. Default 4.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>
    /// What stands for the pipeline's model in the records, such as a hash of its files: pictures recorded with another one are made anew.
    /// Null: the model is taken to be the same.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>Scores a picture: names and values, higher or lower as the name says. Null for none.</summary>
    public Func<SweepItem, RgbImage, IReadOnlyDictionary<string, double>>? Score { get; init; }

    /// <summary>Told how far the sweep is, after each denoising step and each batch.</summary>
    public Action<SweepProgress>? OnProgress { get; init; }

    /// <summary>Given each new picture with its record, once both are on disk.</summary>
    public Action<SweepResult, RgbImage>? OnPicture { get; init; }
}
