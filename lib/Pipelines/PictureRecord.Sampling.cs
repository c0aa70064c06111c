using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Pipelines;

/// <content>Sampler and refinements of guidance; null where they are the default, so that records of before stay the same.</content>
internal sealed partial record PictureRecord
{
    private const string Euler = "flow_match_euler";

    /// <summary>The sampler: flow_match_euler, or another one's name on the command line.</summary>
    public string Sampler { get; init; } = Euler;

    /// <summary>The spacing of the noise levels.</summary>
    public string? Sigmas { get; init; }

    /// <summary>Whether the model was told whole timesteps.</summary>
    public bool? TruncateTimesteps { get; init; }

    /// <summary>The seed of the noise that was added at every step.</summary>
    public ulong? StepNoiseSeed { get; init; }

    /// <summary>Where guidance began, as are the next four with the default of <see cref="GuidanceConfig"/>.</summary>
    public double? GuidanceStart { get; init; }

    /// <summary>Where it ended.</summary>
    public double? GuidanceEnd { get; init; }

    /// <summary>How far it was scaled back.</summary>
    public double? GuidanceRescale { get; init; }

    /// <summary>With CFG-Zero*: predictions at the start that were 0.</summary>
    public int? ZeroSteps { get; init; }

    /// <summary>Blocks of perturbed-attention guidance; null where it is off, as is the next.</summary>
    public string? PerturbedLayers { get; init; }

    /// <summary>Its strength.</summary>
    public double? PerturbedScale { get; init; }

    /// <summary>Whether weights in the prompt were acted on.</summary>
    public bool? PromptWeighting { get; init; }

    /// <summary>Sampler and noise levels.</summary>
    internal SamplerConfig Sampling => new()
    {
        Kind = Sampler == Euler ? SamplerKind.Euler : EnumNames.Find<SamplerKind>(Sampler) ?? SamplerKind.Euler,
        Sigmas = Sigmas is null ? SigmaSchedule.Model : EnumNames.Find<SigmaSchedule>(Sigmas) ?? SigmaSchedule.Model,
        TruncateTimesteps = TruncateTimesteps == true,
    };

    /// <summary>Refinements of guidance.</summary>
    internal GuidanceConfig GuidanceDetails => new()
    {
        Start = GuidanceStart ?? 0,
        End = GuidanceEnd ?? 1,
        Rescale = GuidanceRescale ?? 0,
        ZeroStar = ZeroSteps is not null,
        ZeroSteps = ZeroSteps ?? 1,
        PerturbedLayers = PerturbedLayers,
        PerturbedScale = PerturbedScale ?? 3,
    };

    // A sampler of a later version is none that can be repeated.
    private bool KnowsSampling => (Sampler == Euler || EnumNames.Find<SamplerKind>(Sampler) is not null)
        && (Sigmas is null || EnumNames.Find<SigmaSchedule>(Sigmas) is not null)
        && (Quantization is null || EnumNames.Find<Quantization>(Quantization) is not null);

    private PictureRecord WithSampling(GenerationRequest request)
    {
        var (sampler, guidance, plain) = (request.Sampler, request.Guidance, new GuidanceConfig());
        return this with
        {
            Sampler = sampler.Kind == SamplerKind.Euler ? Euler : EnumNames.Of(sampler.Kind),
            Sigmas = sampler.Sigmas == SigmaSchedule.Model ? null : EnumNames.Of(sampler.Sigmas),
            TruncateTimesteps = sampler.TruncateTimesteps ? true : null,
            StepNoiseSeed = sampler.DrawsNoise ? request.NoiseSeeds?[0] ?? GenerationRequest.NoiseSeed(request.Seed, 0) : null,
            GuidanceStart = guidance.Start == plain.Start ? null : guidance.Start,
            GuidanceEnd = guidance.End == plain.End ? null : guidance.End,
            GuidanceRescale = guidance.Rescale == plain.Rescale ? null : guidance.Rescale,
            ZeroSteps = guidance.ZeroStar ? guidance.ZeroSteps : null,
            PerturbedLayers = guidance.PerturbedLayers,
            PerturbedScale = guidance.PerturbedLayers is null ? null : guidance.PerturbedScale,
        };
    }
}
