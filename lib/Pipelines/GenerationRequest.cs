using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Schedulers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>What to generate. Names and defaults are those of the reference's pipeline call.</summary>
public sealed record GenerationRequest
{
    /// <summary>The usual <see cref="Strength"/>.</summary>
    internal const double DefaultStrength = 0.6;

    /// <summary>Prompts; each gives <see cref="NumImagesPerPrompt"/> pictures.</summary>
    public required IReadOnlyList<string> Prompts { get; init; }

    /// <summary>Prompts of the second CLIP encoder, or null for the same.</summary>
    public IReadOnlyList<string>? Prompts2 { get; init; }

    /// <summary>Prompts of T5, or null for the same.</summary>
    public IReadOnlyList<string>? Prompts3 { get; init; }

    /// <summary>Negative prompts: one for all prompts or one each; null stands for the empty text.</summary>
    public IReadOnlyList<string>? NegativePrompts { get; init; }

    /// <summary>Height in pixels, a multiple of the model's patch (16 for published models); null for the model's own.</summary>
    public int? Height { get; init; }

    /// <summary>Width in pixels, a multiple of the model's patch (16 for published models); null for the model's own.</summary>
    public int? Width { get; init; }

    /// <summary>Denoising steps, 1 or more. Default 28.</summary>
    public int NumInferenceSteps { get; init; } = 28;

    /// <summary>Classifier-free guidance; on above 1. Default 7.</summary>
    public double GuidanceScale { get; init; } = 7.0;

    /// <summary>Refinements of guidance; without effect where it is off. The defaults change nothing.</summary>
    public GuidanceConfig Guidance { get; init; } = new();

    /// <summary>Pictures per prompt, 1 or more.</summary>
    public int NumImagesPerPrompt { get; init; } = 1;

    /// <summary>Seed of the initial noise, which is drawn on the CPU.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// Initial noise, <c>[prompts × pictures, C, h, w]</c>, instead of one drawn from <see cref="Seed"/>.
    /// </summary>
    public Tensor? Latents { get; init; }

    /// <summary>Sampler and noise levels. Default: those of the published models.</summary>
    public SamplerConfig Sampler { get; init; } = new();

    /// <summary>
    /// Seeds of the noise that some samplers add at every step, one a picture; null for numbers that follow from <see cref="Seed"/> and the
    /// picture's place.
    /// </summary>
    public IReadOnlyList<ulong>? NoiseSeeds { get; init; }

    /// <summary>The noise of each prediction, instead of drawn noise.</summary>
    internal Func<int, Tensor>? StepNoise { get; init; }

    /// <summary>
    /// The picture to begin from (image to image), resized to <see cref="Height"/> × <see cref="Width"/>; where both are null, the size is
    /// about the model's own area in the picture's shape. Null: begin from noise.
    /// </summary>
    public RgbImage? Image { get; init; }

    /// <summary>
    /// How much of the way from noise a picture goes again, above 0 to 1, default 0.6: at 1 nothing of <see cref="Image"/> is left. Of n
    /// steps about n × strength run. Given <see cref="Latents"/> are taken as they are for the first of them.
    /// </summary>
    public double Strength { get; init; } = DefaultStrength;

    /// <summary>
    /// Where <see cref="Image"/> is made anew (white, from half gray on) and where it is kept (inpainting), in its shape; null: everywhere.
    /// </summary>
    public RgbImage? Mask { get; init; }

    /// <summary>The noise mixed into <see cref="Image"/>, <c>[prompts × pictures, C, h, w]</c>, instead of drawn noise.</summary>
    internal Tensor? StartNoise { get; init; }

    /// <summary>
    /// The noise that the encoder's distribution of <see cref="Image"/> is drawn with, <c>[1, C, h, w]</c>, instead of drawn noise.
    /// </summary>
    internal Tensor? EncodingNoise { get; init; }

    /// <summary>The steps that are left out at the start: where a picture is begun from, all but n × strength, rounded down.</summary>
    internal int FirstStep => FirstStepOf(NumInferenceSteps, Image is null ? null : Strength);

    /// <summary>The steps that run.</summary>
    internal int StepsRun => NumInferenceSteps - FirstStep;

    /// <summary>The predictions that are left out at the start.</summary>
    internal int FirstCall => FirstCallOf(Sampler, FirstStep);

    /// <summary>The predictions that are made.</summary>
    internal int CallsRun => CallsOf(Sampler, NumInferenceSteps, Image is null ? null : Strength);

    /// <summary>The predictions of a picture.</summary>
    /// <param name="sampler">The sampler.</param>
    /// <param name="steps">Its steps.</param>
    /// <param name="strength">How much of the way from noise it goes; null where it begins from noise.</param>
    internal static int CallsOf(SamplerConfig sampler, int steps, double? strength) =>
        sampler.ModelCalls(steps) - FirstCallOf(sampler, FirstStepOf(steps, strength));

    private static int FirstStepOf(int steps, double? strength) =>
        strength is { } part ? (int)Math.Max(steps - Math.Min(steps * part, steps), 0) : 0;

    // Heun's method has two predictions a step.
    private static int FirstCallOf(SamplerConfig sampler, int step) => sampler.Kind == SamplerKind.Heun ? 2 * step : step;

    /// <summary>How many more of CLIP's last layers are left out (for the positive prompt alone), or null.</summary>
    public int? ClipSkip { get; init; }

    /// <summary>Number of T5 tokens, 1 to 512; null for 256 or the tokenizer's shorter window.</summary>
    public int? MaxSequenceLength { get; init; }

    /// <summary>
    /// Blocks left out of a second prediction that guidance steers away from (skip-layer guidance), or null for none. Without effect where
    /// classifier-free guidance is off, as in the reference.
    /// </summary>
    public IReadOnlyList<int>? SkipGuidanceLayers { get; init; }

    /// <summary>Strength of skip-layer guidance. Default 2.8.</summary>
    public double SkipLayerGuidanceScale { get; init; } = 2.8;

    /// <summary>Fraction of the steps, 0 to 1, after which skip-layer guidance begins. Default 0.01.</summary>
    public double SkipLayerGuidanceStart { get; init; } = 0.01;

    /// <summary>Fraction of the steps, 0 to 1, before which skip-layer guidance ends. Default 0.2.</summary>
    public double SkipLayerGuidanceStop { get; init; } = 0.2;

    /// <summary>
    /// The transformer's blocks run in every this many-th step (<c>ResidualCache</c>): faster, an approximation. 1 or more; 1 (the
    /// default) is exact.
    /// </summary>
    public int CacheInterval { get; init; } = 1;

    /// <summary>
    /// Between those steps: 0 (the default) keeps what the blocks added last, 1 extrapolates it from the last two. Without effect where
    /// <see cref="CacheInterval"/> is 1.
    /// </summary>
    public int CacheOrder { get; init; }

    /// <summary>Whether classifier-free guidance is on.</summary>
    public bool UsesGuidance => GuidanceScale > 1;

    /// <summary>The seed of the noise at every step, of a picture that has a place among those of one seed.</summary>
    /// <param name="seed">The seed of the first noise.</param>
    /// <param name="index">The place, from 0.</param>
    internal static ulong NoiseSeed(ulong seed, int index) => SplitMix64.At(seed, (ulong)index);

    /// <summary>Checks the values that do not depend on a model.</summary>
    /// <exception cref="LabException">Says every value that is out of range.</exception>
    public void Validate()
    {
        var errors = new List<string>();
        if (Prompts.Count == 0)
            errors.Add("there are no prompts");
        if (NumInferenceSteps is < 1 or > 1000)
            errors.Add($"num_inference_steps is {NumInferenceSteps}; 1 to 1000 is valid");
        if (NumImagesPerPrompt < 1)
            errors.Add($"num_images_per_prompt is {NumImagesPerPrompt}; 1 or more is valid");
        if (!double.IsFinite(GuidanceScale) || GuidanceScale < 0)
            errors.Add($"guidance_scale is {GuidanceScale}; 0 or more is valid");
        if (!double.IsFinite(SkipLayerGuidanceScale))
            errors.Add($"skip_layer_guidance_scale is {SkipLayerGuidanceScale}; a finite number is valid");
        if (SkipLayerGuidanceStart is not (>= 0 and <= 1) || SkipLayerGuidanceStop is not (>= 0 and <= 1))
            errors.Add(
                $"skip-layer guidance goes from {SkipLayerGuidanceStart} to {SkipLayerGuidanceStop}; both are parts of the steps, 0 to 1");
        if (CacheInterval < 1)
            errors.Add($"cache_interval is {CacheInterval}; 1 or more is valid");
        var guidesAlike = (!UsesGuidance && Guidance.PerturbedLayers is null)
            || Guidance == new GuidanceConfig { Rescale = Guidance.Rescale };
        if (CacheInterval > 1 && (Sampler.Kind == SamplerKind.Heun || !guidesAlike))
        {
            errors.Add(
                $"cache_interval is {CacheInterval}, which needs one prediction a step and all of them guided alike: not with the sampler "
                + "heun, guidance in a part of the steps, CFG-Zero* or perturbed attention");
        }

        if (CacheOrder is not (0 or 1))
            errors.Add($"cache_order is {CacheOrder}; 0 and 1 are valid");
        errors.AddRange(Guidance.Errors());
        if (NoiseSeeds is not null && NoiseSeeds.Count != Prompts.Count * (long)NumImagesPerPrompt)
            errors.Add($"there are {NoiseSeeds.Count} noise seeds for {Prompts.Count * (long)NumImagesPerPrompt} pictures; give one each");
        if (MaxSequenceLength is < 1 or > 512)
            errors.Add($"max_sequence_length is {MaxSequenceLength}; 1 to 512 is valid");
        foreach (var (encoder, prompts) in new[] { ("second", Prompts2), ("third", Prompts3) })
        {
            if (prompts is not null && prompts.Count != Prompts.Count)
                errors.Add($"there are {prompts.Count} prompts of the {encoder} encoder for {Prompts.Count} prompts; give as many");
        }

        errors.AddRange(new[] { Prompts, Prompts2, Prompts3, NegativePrompts }.SelectMany(prompts => prompts ?? [])
            .Select(prompt => PromptText.Complaint(prompt, "a prompt")).OfType<string>().Take(1));
        if (NegativePrompts is not null && NegativePrompts.Count != 1 && NegativePrompts.Count != Prompts.Count)
            errors.Add($"there are {NegativePrompts.Count} negative prompts for {Prompts.Count} prompts; give one, or one each");
        errors.AddRange(ImageErrors());
        if (errors.Count > 0)
            throw new LabException($"The request is not valid: {string.Join("; ", errors)}.");
        Sampler.Validate();
    }

    /// <summary>Whether skip-layer guidance acts in a step, where layers are named.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="steps">All steps.</param>
    internal bool SkipsLayersAt(int step, int steps) => step > steps * SkipLayerGuidanceStart && step < steps * SkipLayerGuidanceStop;

    /// <summary>Whether a mask has a picture's shape; its size may differ.</summary>
    internal static bool Fits(RgbImage mask, int width, int height) =>
        Math.Abs(((double)mask.Width / mask.Height * height / width) - 1) <= 0.01;

    private IEnumerable<string> ImageErrors()
    {
        if (Strength is not (> 0 and <= 1))
            yield return $"strength is {Strength}; above 0 and at most 1 is valid";
        if (Mask is not null && Image is null)
            yield return "there is a mask but no picture; give the picture that it belongs to";
        if (Mask is { } mask && Image is { } image && !Fits(mask, image.Width, image.Height))
            yield return $"the mask has {mask.Width}x{mask.Height} pixels and the picture {image.Width}x{image.Height}; their shapes "
                + "must be one";
    }
}
