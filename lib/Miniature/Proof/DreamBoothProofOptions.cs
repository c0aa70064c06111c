using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>How DreamBooth on the miniature is put to the proof.</summary>
internal sealed record DreamBoothProofOptions
{
    /// <summary>The training; its folders for the LoRA and the class pictures lie below <see cref="Output"/> instead.</summary>
    public required DreamBoothConfig Training { get; init; }

    /// <summary>The attribute classifier's folder.</summary>
    public required string Classifier { get; init; }

    /// <summary>Folder of the prompt lists of the three families.</summary>
    public required string Prompts { get; init; }

    /// <summary>
    /// Folder for the LoRAs, the class pictures, the report and sheets of pictures. Leftovers of an earlier run are replaced.
    /// </summary>
    public required string Output { get; init; }

    /// <summary>A LoRA that is measured instead of training one, or null.</summary>
    public string? Lora { get; init; }

    /// <summary>
    /// A LoRA trained without prior preservation that is measured beside <see cref="Lora"/> instead of training one, or null for none.
    /// </summary>
    public string? LoraWithoutPrior { get; init; }

    /// <summary>Also train without prior preservation, to compare. Default true; not done for a given LoRA.</summary>
    public bool ComparePrior { get; init; } = true;

    /// <summary>Pictures of the instance prompt, with and without its identifier each. Default 12.</summary>
    public int PlainPictures { get; init; } = 12;

    /// <summary>Pictures of each prompt of a family. Default 2.</summary>
    public int PicturesPerPrompt { get; init; } = 2;

    /// <summary>Denoising steps. Default 28.</summary>
    public int Steps { get; init; } = 28;

    /// <summary>Guidance. Default 3.</summary>
    public double GuidanceScale { get; init; } = 3;

    /// <summary>Pictures that are generated at once. Default 16.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Seed of the noise; the same noise before and after.</summary>
    public ulong Seed { get; init; } = 970_000_000;

    /// <summary>Receives progress lines.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Ends the work.</summary>
    public CancellationToken Cancellation { get; init; }
}
