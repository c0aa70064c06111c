using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>How the miniature is put to the proof.</summary>
internal sealed record ProofOptions
{
    /// <summary>The miniature's model folder.</summary>
    public required string Model { get; init; }

    /// <summary>The attribute classifier's folder.</summary>
    public required string Classifier { get; init; }

    /// <summary>Device of the models.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Combinations that are generated, one picture each. Default 300.</summary>
    public int Combinations { get; init; } = 300;

    /// <summary>Denoising steps. Default 28.</summary>
    public int Steps { get; init; } = 28;

    /// <summary>Guidance. Default 4.</summary>
    public double GuidanceScale { get; init; } = 4;

    /// <summary>Guidances that are compared; empty for no comparison.</summary>
    public IReadOnlyList<double> GuidanceSweep { get; init; } = [1, 2, 3, 4, 5, 6, 7];

    /// <summary>Combinations that the comparison of guidances generates for each. Default 60.</summary>
    public int SweepCombinations { get; init; } = 60;

    /// <summary>Held-out painted pictures that the autoencoder is measured on. Default 256.</summary>
    public int VaePictures { get; init; } = 256;

    /// <summary>Pictures that are generated at once. Default 20.</summary>
    public int BatchSize { get; init; } = 20;

    /// <summary>Seed of the combinations and of the noise.</summary>
    public ulong Seed { get; init; } = 950_000_000;

    /// <summary>Receives progress lines.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Ends the work.</summary>
    public CancellationToken Cancellation { get; init; }
}
