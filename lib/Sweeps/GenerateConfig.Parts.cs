using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Sweeps;

/// <content>What the options amount to, and their checks.</content>
public sealed partial record GenerateConfig
{
    /// <summary>The layers to skip, numbers from 0; null: skip-layer guidance is off.</summary>
    /// <exception cref="LabException"><see cref="SkipGuidanceLayers"/> is no list of numbers.</exception>
    public IReadOnlyList<int>? SkipLayers => SkipGuidanceLayers is null ? null
        : NumberList.Parse(SkipGuidanceLayers) ?? throw new LabException(LayersError);

    /// <summary>Sampler and noise levels.</summary>
    internal SamplerConfig Sampling => new() { Kind = Sampler, Sigmas = Sigmas, TruncateTimesteps = TruncateTimesteps };

    /// <summary>Refinements of guidance.</summary>
    internal GuidanceConfig GuidanceDetails => new()
    {
        Start = GuidanceStart,
        End = GuidanceEnd,
        Rescale = GuidanceRescale,
        ZeroStar = CfgZeroStar,
        ZeroSteps = ZeroSteps,
        PerturbedLayers = PerturbedLayers,
        PerturbedScale = PerturbedScale,
    };

    /// <summary>What these options ask of the pipeline for one picture of a prompt; without seed and picture to begin from.</summary>
    internal GenerationRequest Request(string prompt) => new()
    {
        Prompts = [prompt],
        NegativePrompts = NegativePrompt is { } negative ? [negative] : null,
        NumInferenceSteps = NumSteps,
        GuidanceScale = Guidance,
        Height = Height,
        Width = Width,
        Sampler = Sampling,
        Guidance = GuidanceDetails,
        ClipSkip = ClipSkip,
        MaxSequenceLength = MaxSequenceLength,
        SkipGuidanceLayers = SkipLayers,
        SkipLayerGuidanceScale = SkipLayerGuidanceScale,
        SkipLayerGuidanceStart = SkipLayerGuidanceStart,
        SkipLayerGuidanceStop = SkipLayerGuidanceStop,
        CacheInterval = CacheInterval,
        CacheOrder = CacheOrder,
    };

    /// <summary>The LoRA to apply, with their weights.</summary>
    public IReadOnlyList<WeightedLora> Loras => [.. Lora.Select(WeightedLora.Parse)];

    private string LayersError =>
        $"skip_guidance_layers is '{ShownText.Line(SkipGuidanceLayers ?? string.Empty)}'; valid is a list of "
        + "layer numbers from 0, such as 7,8,9.";

    /// <summary>The prompts, from the file or the one given.</summary>
    /// <exception cref="LabException">The prompt file cannot be read or has no prompt.</exception>
    public IReadOnlyList<string> ReadPrompts() => PromptsFile is null ? [Prompt!.Trim()] : PromptList.Read(PromptsFile);

    /// <summary>The negative prompt of every prompt, null for none.</summary>
    /// <param name="prompts">How many prompts there are.</param>
    /// <exception cref="LabException">The file cannot be read, or has another number of them.</exception>
    public IReadOnlyList<string?> ReadNegativePrompts(int prompts)
    {
        if (NegativePromptsFile is null)
            return [.. Enumerable.Repeat(NegativePrompt, prompts)];
        var read = PromptList.Read(NegativePromptsFile);
        if (read.Count == 1)
            return [.. Enumerable.Repeat(read[0], prompts)];
        return read.Count == prompts ? read : throw new LabException(
            $"{NegativePromptsFile} has {read.Count} negative prompts for {prompts} prompt{(prompts == 1 ? string.Empty : "s")}; it must "
            + "have one, or one for each.");
    }

    /// <summary>Checks everything that can be checked without reading a file.</summary>
    /// <exception cref="LabException">At least one option is wrong; the message names every one of them.</exception>
    public void Validate()
    {
        List<string> errors = [.. Flags.Check(this)];
        if (string.IsNullOrWhiteSpace(Prompt) && string.IsNullOrWhiteSpace(PromptsFile))
            errors.Add("There is no prompt: prompt or prompts_file is needed.");
        errors.AddRange(PromptText.Complaints(("prompt", Prompt), ("negative_prompt", NegativePrompt)));
        if (SkipGuidanceLayers is not null && NumberList.Parse(SkipGuidanceLayers) is null)
            errors.Add(LayersError);
        if (PerturbedLayers is not null)
            errors.AddRange(GuidanceDetails.Errors().Where(error => error.StartsWith("perturbed", StringComparison.Ordinal)));
        if (GuidanceStart > GuidanceEnd)
            errors.Add($"guidance_start is {GuidanceStart}, behind guidance_end, {GuidanceEnd}; it must not be above it.");
        if (Lora.Any(string.IsNullOrWhiteSpace))
            errors.Add("lora has an empty path.");
        if (Foundation.Shard.Complaint(Shard) is { } complaint)
            errors.Add(complaint);
        if (Image is null && (Mask ?? (object?)Strength) is not null)
            errors.Add("strength and mask belong to a picture to begin from: image is needed.");
        if (string.IsNullOrWhiteSpace(OutputDir))
            errors.Add("output_dir is empty; it must name a folder.");
        if (errors.Count > 0)
            throw new LabException("The options of generate are not valid. " + string.Join(" ", errors));
        if (Axis.Count > 0)
        {
            foreach (var variant in SettingAxis.Variants(this))
                variant.Validate();
        }
    }
}
