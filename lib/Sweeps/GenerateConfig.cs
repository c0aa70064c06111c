using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// All settings of one run of <c>generate</c>: prompts, model, LoRA, sampling. Names and defaults are those of the DreamBooth tutorial's
/// <c>inference.py</c> where it has them, except the size: see <see cref="Height"/>.
/// </summary>
public sealed partial record GenerateConfig
{
    private const string ModelGroup = "Model";
    private const string PromptGroup = "Prompts";
    private const string SamplingGroup = "Sampling";
    private const string OutputGroup = "Output and device";
    private const string SizeHelp = "Height in pixels. The tutorial's own default, 256, is a trap: far from the size that the "
        + "published models were trained on (1024), they generate little that is recognisable.";

    /// <summary>The options of this record with names, ranges and help.</summary>
    public static FlagSet<GenerateConfig> Flags { get; } = new();

    /// <summary>Flags of the tutorial's script that are accepted but not acted on.</summary>
    public static UnusedFlags UnusedFlags { get; } = new(new Dictionary<string, string>(), switches: []);

    /// <summary>
    /// The model: a folder in the published layout, one file in the original layout, or its name on the Hugging Face hub. Required. Flag
    /// <c>--pretrained_model_name_or_path</c>, <c>--model</c>.
    /// </summary>
    [Flag(
        ModelGroup,
        "The Stable Diffusion 3.x model: a folder in the published layout, one file such as sd3.5_medium.safetensors, or its name on the "
        + "hub, such as stabilityai/stable-diffusion-3.5-medium.", Aliases = ["model"], Placeholder = "FOLDER|FILE|NAME")]
    public required string PretrainedModelNameOrPath { get; init; }

    /// <summary>Branch, tag or commit of a model from the hub; null: main. Flag <c>--revision</c>.</summary>
    [Flag(ModelGroup, "Branch, tag or commit of a model from the hub.", Placeholder = "NAME", DefaultText = "main")]
    public string? Revision { get; init; }

    /// <summary>
    /// The LoRA files or folders to apply, each <c>path</c> or <c>path=weight</c>; empty: none. Flag <c>--lora</c>, <c>--lora_path</c>.
    /// </summary>
    [Flag(
        ModelGroup, "LoRA to apply: a file, a folder or a name on the hub; several with weights: a=0.8 b=0.3.", Aliases = ["lora_path"],
        Placeholder = "PATH[=WEIGHT]", DefaultText = "none")]
    public IReadOnlyList<string> Lora { get; init; } = [];

    /// <summary>Factor on all LoRA together, default 1. Flag <c>--lora_scale</c>.</summary>
    [Flag(ModelGroup, "Factor on all LoRA together.")]
    public double LoraScale { get; init; } = 1.0;

    /// <summary>The preferred variant of the model's files, such as fp16; null: the plain files. Flag <c>--variant</c>.</summary>
    [Flag(
        ModelGroup, "Preferred variant of the model's files, such as fp16 (model.fp16.safetensors).", Placeholder = "NAME",
        DefaultText = "the plain files")]
    public string? Variant { get; init; }

    /// <summary>The folder with what a single-file model lacks; null: the file's own folder. Flag <c>--components</c>.</summary>
    [Flag(
        ModelGroup, "Folder with what a single-file model lacks: text encoders, autoencoder, tokenizers.", Placeholder = "FOLDER",
        DefaultText = "the file's own folder")]
    public string? Components { get; init; }

    /// <summary>
    /// Whether T5 is left out, with zeros in its place: 9 GB less memory, long prompts followed less closely. Flag <c>--without_t5</c>.
    /// </summary>
    [Flag(ModelGroup, "Leave the T5 encoder out: 9 GB less memory, long prompts followed less closely.")]
    public bool WithoutT5 { get; init; }

    /// <summary>
    /// Capture the transformer's forward as a CUDA graph and replay it where that is faster, default true; no effect without CUDA. Flag
    /// <c>--cuda_graph</c>.
    /// </summary>
    [Flag(
        ModelGroup,
        "Capture a step once and replay it where the GPU waits for the processor, as with small pictures; CUDA only. --cuda_graph=false: "
        + "launch each operation by itself.")]
    public bool CudaGraph { get; init; } = true;

    /// <summary>
    /// A folder with <c>clip/</c> and <c>t5/</c> tokenizer files; null: what the environment variable LAB_TOKENIZERS names. Flag
    /// <c>--tokenizers</c>.
    /// </summary>
    [Flag(
        ModelGroup, "Folder with clip/ and t5/ tokenizer files, used where the model folder has none.", Placeholder = "FOLDER",
        DefaultText = "LAB_TOKENIZERS")]
    public string? Tokenizers { get; init; }

    /// <summary>
    /// A picture whose record is repeated, bit for bit on the same kind of device; other options change what it says. Null: none. Flag
    /// <c>--from</c>.
    /// </summary>
    [Flag(
        PromptGroup,
        "Repeat the picture of this file by the record in it, bit for bit on the same kind of device. --model and --lora then name the "
        + "model and LoRA, or folders to look in; other flags change what the record says.", Placeholder = "PICTURE")]
    public string? From { get; init; }

    /// <summary>The prompt; this or <see cref="PromptsFile"/> is needed. Flag <c>--prompt</c>.</summary>
    [Flag(PromptGroup, "The prompt. This or --prompts_file is needed.")]
    public string? Prompt { get; init; }

    /// <summary>A text file with one prompt per line; takes precedence over <see cref="Prompt"/>. Flag <c>--prompts_file</c>.</summary>
    [Flag(PromptGroup, "Text file with one prompt per line; takes precedence over --prompt.", Placeholder = "FILE")]
    public string? PromptsFile { get; init; }

    /// <summary>What the pictures should not show, the same for every prompt; null: nothing. Flag <c>--negative_prompt</c>.</summary>
    [Flag(PromptGroup, "What the pictures should not show.")]
    public string? NegativePrompt { get; init; }

    /// <summary>
    /// A text file with one negative prompt a line: one for all prompts, or as many as there are prompts; takes precedence over
    /// <see cref="NegativePrompt"/>. Flag <c>--negative_prompts_file</c>.
    /// </summary>
    [Flag(
        PromptGroup,
        "Text file with one negative prompt a line: one for all prompts, or one for each; takes precedence over --negative_prompt.",
        Placeholder = "FILE")]
    public string? NegativePromptsFile { get; init; }

    /// <summary>Whether (text:1.3) in a prompt is a weight, default false: plain words. Flag <c>--prompt_weighting</c>.</summary>
    [Flag(
        PromptGroup,
        "Act on weights in prompts, as (gmc cat:1.3): the tokens move away from the empty prompt's embedding (above 1) or towards it.")]
    public bool PromptWeighting { get; init; }

    /// <summary>Layers of the CLIP encoders left out at the end, at least 0; null: none. Flag <c>--clip_skip</c>.</summary>
    [Flag(PromptGroup, "Layers of the CLIP encoders left out at the end.", Minimum = 0, DefaultText = "none")]
    public int? ClipSkip { get; init; }

    /// <summary>
    /// Rows of T5 text, 1 to 512; null (the default): 256, or the tokenizer's window where that is shorter. Flag
    /// <c>--max_sequence_length</c>.
    /// </summary>
    [Flag(
        PromptGroup, "Rows of T5 text that the transformer sees.", Minimum = 1, Maximum = 512,
        DefaultText = "256, or the tokenizer's shorter window")]
    public int? MaxSequenceLength { get; init; }

    /// <summary>Pictures per prompt, at least 1, default 1. Flag <c>--num_images</c>.</summary>
    [Flag(SamplingGroup, "Pictures per prompt.", Aliases = ["num_images_per_prompt"], Minimum = 1)]
    public int NumImages { get; init; } = 1;

    /// <summary>Denoising steps, 1 to 1000, default 28. Flag <c>--num_steps</c>.</summary>
    [Flag(SamplingGroup, "Denoising steps.", Aliases = ["num_inference_steps"], Minimum = 1, Maximum = 1000)]
    public int NumSteps { get; init; } = 28;

    /// <summary>The sampler, default euler. Flag <c>--sampler</c>.</summary>
    [Flag(
        SamplingGroup,
        "How noise is led to a picture. heun takes two predictions a step; euler_stochastic, lcm and the sde forms add noise at every "
        + "step; lcm is for models distilled to few steps.")]
    public SamplerKind Sampler { get; init; }

    /// <summary>The spacing of the noise levels, default the model's own. Flag <c>--sigmas</c>.</summary>
    [Flag(
        SamplingGroup, "How the steps' noise levels are spaced: as the model says, shifted by the picture's size (dynamic), or as named.")]
    public SigmaSchedule Sigmas { get; init; }

    /// <summary>
    /// Whether dpmpp and unipc tell the model whole timesteps, as diffusers does, default false. Flag <c>--truncate_timesteps</c>.
    /// </summary>
    [Flag(
        SamplingGroup,
        "Tell the model whole timesteps, rounded down, as diffusers does with dpmpp and unipc, for pictures equal to its own.")]
    public bool TruncateTimesteps { get; init; }

    /// <summary>
    /// Settings with several values each, as <c>guidance=3,5,7</c>: every combination is made of every prompt, from the same noise. Empty:
    /// none. Flag <c>--axis</c>.
    /// </summary>
    [Flag(
        SamplingGroup,
        "Make every prompt with each of these values, from the same noise: guidance=3,5,7.5 sampler=euler,heun. Any sampling flag, "
        + "strength, negative_prompt (values between |) or lora_scale; several make every combination.",
        Placeholder = "NAME=VALUES", DefaultText = "none")]
    public IReadOnlyList<string> Axis { get; init; } = [];

    /// <summary>Classifier-free guidance scale, at least 0, default 7.5; up to 1 it is off. Flag <c>--guidance</c>.</summary>
    [Flag(SamplingGroup, "Classifier-free guidance scale; up to 1 it is off.", Aliases = ["guidance_scale"], Minimum = 0)]
    public double Guidance { get; init; } = 7.5;

    /// <summary>Where guidance starts, as a fraction of all steps, 0 to 1, default 0. Flag <c>--guidance_start</c>.</summary>
    [Flag(
        SamplingGroup, "Where guidance starts, as a fraction of all steps; steps without it take half the time.", Minimum = 0,
        Maximum = 1)]
    public double GuidanceStart { get; init; }

    /// <summary>Where guidance ends, as a fraction of all steps, 0 to 1, default 1. Flag <c>--guidance_end</c>.</summary>
    [Flag(SamplingGroup, "Where guidance ends, as a fraction of all steps.", Minimum = 0, Maximum = 1)]
    public double GuidanceEnd { get; init; } = 1;

    /// <summary>
    /// How far guided predictions are scaled back to the deviation of the prompt's own, 0 to 1, default 0. Flag <c>--guidance_rescale</c>.
    /// </summary>
    [Flag(
        SamplingGroup, "How far guidance is scaled back to the prompt's own contrast: 0 not at all, 1 wholly.", Minimum = 0, Maximum = 1)]
    public double GuidanceRescale { get; init; }

    /// <summary>CFG-Zero*, default false. Flag <c>--cfg_zero_star</c>.</summary>
    [Flag(SamplingGroup, "CFG-Zero*: scale the prediction without prompt to fit best, and predict 0 in the first steps (--zero_steps).")]
    public bool CfgZeroStar { get; init; }

    /// <summary>
    /// With <see cref="CfgZeroStar"/>: steps at the start that predict 0, at least 0, default 1. Flag <c>--zero_steps</c>.
    /// </summary>
    [Flag(SamplingGroup, "With --cfg_zero_star: steps at the start that predict 0.", Minimum = 0)]
    public int ZeroSteps { get; init; } = 1;

    /// <summary>
    /// Height in pixels, a multiple of 16; null (the default): the model's own, 1024 for the published ones. Flag <c>--height</c>.
    /// </summary>
    [Flag(SamplingGroup, SizeHelp, Minimum = 16, MultipleOf = 16, DefaultText = "the model's own", Maximum = 16_384)]
    public int? Height { get; init; }

    /// <summary>
    /// Width in pixels, a multiple of 16; null (the default): the model's own, 1024 for the published ones. Flag <c>--width</c>.
    /// </summary>
    [Flag(SamplingGroup, "Width in pixels; as --height.", Minimum = 16, MultipleOf = 16, DefaultText = "the model's own", Maximum = 16_384)]
    public int? Width { get; init; }

    /// <summary>Seed of the first prompt's noise, at least 0, default 0; prompt i has seed + i. Flag <c>--seed</c>.</summary>
    [Flag(SamplingGroup, "Seed of the first prompt; prompt i (from 0) has seed + i.", Minimum = 0)]
    public long Seed { get; init; }

    /// <summary>A picture, or a folder of pictures, to begin from; null: begin from noise. Flag <c>--image</c>.</summary>
    [Flag(
        SamplingGroup, "Begin from this picture, or from each of a folder: it is resized to --height and --width; without them to about "
        + "the model's own area, in its shape.", Placeholder = "FILE|FOLDER")]
    public string? Image { get; init; }

    /// <summary>How much of the way from noise a picture goes again, above 0 to 1; null: 0.6. Flag <c>--strength</c>.</summary>
    [Flag(
        SamplingGroup, "With --image: how much is made anew; at 1 nothing of the picture is left. Of n steps n × strength run.",
        Minimum = 0, OpenMinimum = true, Maximum = 1, DefaultText = "0.6")]
    public double? Strength { get; init; }

    /// <summary>The picture that says what is made anew, or <c>alpha</c>; null: everything. Flag <c>--mask</c>.</summary>
    [Flag(
        SamplingGroup, "With --image: make anew only what is white on this picture, or, as alpha, what is transparent in the picture.",
        Placeholder = "FILE|alpha")]
    public string? Mask { get; init; }

    /// <summary>
    /// Transformer layers for skip-layer guidance, numbers from 0 separated by commas; null: off. Flag <c>--skip_guidance_layers</c>.
    /// </summary>
    [Flag(
        SamplingGroup, "Skip-layer guidance: transformer layers to skip, numbers from 0 separated by commas, such as 7,8,9.",
        Placeholder = "NUMBERS", DefaultText = "off")]
    public string? SkipGuidanceLayers { get; init; }

    /// <summary>Scale of skip-layer guidance, default 2.8. Flag <c>--skip_layer_guidance_scale</c>.</summary>
    [Flag(SamplingGroup, "Scale of skip-layer guidance.")]
    public double SkipLayerGuidanceScale { get; init; } = 2.8;

    /// <summary>
    /// Where skip-layer guidance starts, as a fraction of all steps, 0 to 1, default 0.01. Flag <c>--skip_layer_guidance_start</c>.
    /// </summary>
    [Flag(SamplingGroup, "Where skip-layer guidance starts, as a fraction of all steps.", Minimum = 0, Maximum = 1)]
    public double SkipLayerGuidanceStart { get; init; } = 0.01;

    /// <summary>
    /// Where skip-layer guidance stops, as a fraction of all steps, 0 to 1, default 0.2. Flag <c>--skip_layer_guidance_stop</c>.
    /// </summary>
    [Flag(SamplingGroup, "Where skip-layer guidance stops, as a fraction of all steps.", Minimum = 0, Maximum = 1)]
    public double SkipLayerGuidanceStop { get; init; } = 0.2;

    /// <summary>
    /// The transformer's blocks run in every this many-th step: faster, an approximation. At least 1, default 1: exact. Flag
    /// <c>--cache_interval</c>.
    /// </summary>
    [Flag(
        SamplingGroup, "An approximation, for speed: the transformer's blocks run in every N-th step only (and in the first three and the "
        + "last), and what they added last is kept between. 1: exact.", Minimum = 1, Maximum = 1000)]
    public int CacheInterval { get; init; } = 1;

    /// <summary>
    /// Between those steps: 0 keeps what the blocks added last, 1 extrapolates it from the last two; default 0. Flag <c>--cache_order</c>.
    /// </summary>
    [Flag(SamplingGroup, "With --cache_interval: 0 keeps what the blocks added last, 1 extrapolates it.", Minimum = 0, Maximum = 1)]
    public int CacheOrder { get; init; }
}
