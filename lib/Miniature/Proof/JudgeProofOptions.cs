using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>How the judge by encoders is put to the proof on the miniature.</summary>
internal sealed record JudgeProofOptions
{
    /// <summary>The training whose checkpoints are judged; its folders lie below <see cref="Output"/> instead.</summary>
    public required DreamBoothConfig Training { get; init; }

    /// <summary>The folder that holds <c>dino</c> and <c>clip</c>.</summary>
    public required string Encoders { get; init; }

    /// <summary>The attribute classifier's folder.</summary>
    public required string Classifier { get; init; }

    /// <summary>The LoRA in which no copies are to be found.</summary>
    public required string Shipped { get; init; }

    /// <summary>Folder for trainings, pictures and the report. Trainings and pictures that are there already are used again.</summary>
    public required string Output { get; init; }

    /// <summary>How pictures are prepared for the encoders. Default published.</summary>
    public ImageProtocol Protocol { get; init; } = ImageProtocol.Published;

    /// <summary>Steps between two checkpoints. Default 52, which makes ten of the recipe's 520 steps.</summary>
    public int CheckpointingSteps { get; init; } = 52;

    /// <summary>Photos that the overtrained LoRA is made of. Default 3.</summary>
    public int FewPhotos { get; init; } = 3;

    /// <summary>Its training: no prior preservation, so many steps. Default 400.</summary>
    public int OvertrainedSteps { get; init; } = 400;

    /// <summary>Its learning rate, constant. Default 8e-3.</summary>
    public double OvertrainedRate { get; init; } = 8e-3;

    /// <summary>Pictures of each prompt. Default 2.</summary>
    public int PicturesPerPrompt { get; init; } = 2;

    /// <summary>Pictures of the instance prompt that are searched for copies. Default 8.</summary>
    public int PlainPictures { get; init; } = 8;

    /// <summary>
    /// Pictures of the class prompt that show drift: of 8 the interval is ±0.3, wider than what is to be told. Default 48.
    /// </summary>
    public int ClassPictures { get; init; } = 48;

    /// <summary>Denoising steps. Default 16.</summary>
    public int Steps { get; init; } = 16;

    /// <summary>Guidance. Default 3.</summary>
    public double GuidanceScale { get; init; } = 3;

    /// <summary>Seed of the noise; the same of every model.</summary>
    public ulong Seed { get; init; } = 980_000_000;

    /// <summary>Receives progress lines.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Ends the work.</summary>
    public CancellationToken Cancellation { get; init; }
}
