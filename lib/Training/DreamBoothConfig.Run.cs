using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <content>What is trained, where it runs, and what it leaves behind.</content>
public sealed partial record DreamBoothConfig
{
    private const string LoraGroup = "LoRA";
    private const string MachineGroup = "Device and memory";
    private const string OutputGroup = "Output";

    /// <summary>The file in the output folder that holds the training's configuration.</summary>
    internal const string RecipeName = "recipe.json";

    /// <summary>Rank of the LoRA matrices, at least 1, default 4. Flag <c>--rank</c>.</summary>
    [Flag(LoraGroup, "Rank of the LoRA matrices.", Minimum = 1, Maximum = 65_536)]
    public int Rank { get; init; } = 4;

    /// <summary>Scale of the LoRA is alpha / rank; more than 0; null (the default): the rank. Flag <c>--lora_alpha</c>.</summary>
    [Flag(LoraGroup, "Alpha of the LoRA; its scale is alpha / rank.", Minimum = 0, OpenMinimum = true, DefaultText = "the rank")]
    public double? LoraAlpha { get; init; }

    /// <summary>
    /// Ranks of single layers: a JSON object of regular expressions for their paths, as PEFT's, for example <c>{"attn.to_q": 16}</c>; null
    /// (the default): none. Flag <c>--rank_pattern</c>.
    /// </summary>
    [Flag(LoraGroup, "Ranks of single layers: regular expressions for their paths, as PEFT's: '{\"attn.to_q\": 16}'.", Placeholder = "JSON",
        DefaultText = "none")]
    public string? RankPattern { get; init; }

    /// <summary>
    /// Alphas of single layers, in the same form; a layer without one has <see cref="LoraAlpha"/>, or its own rank where that is null. Flag
    /// <c>--alpha_pattern</c>.
    /// </summary>
    [Flag(LoraGroup, "Alphas of single layers, in the same form.", Placeholder = "JSON", DefaultText = "lora_alpha, or the layer's rank")]
    public string? AlphaPattern { get; init; }

    /// <summary>
    /// What is trained, default lora: lora; dora, rows with magnitudes of their own; loha, an elementwise product of two; lokr, a Kronecker
    /// product. Flag <c>--lora_variant</c>.
    /// </summary>
    [Flag(
        LoraGroup,
        "What is trained: lora; dora, whose rows have magnitudes of their own; loha, the elementwise product of two; lokr, a Kronecker "
        + "product. All but lora without dropout and bias take longer.")]
    public LoraVariant LoraVariant { get; init; } = LoraVariant.Lora;

    /// <summary>Scale of LoRA and DoRA is alpha / √rank, default false. Flag <c>--use_rslora</c>.</summary>
    [Flag(LoraGroup, "Rank-stabilised: the scale of LoRA and DoRA is alpha / √rank.")]
    public bool UseRslora { get; init; }

    /// <summary>
    /// The probability with which an input of the LoRA is left out in training, from 0 (the default) to below 1. Flag
    /// <c>--lora_dropout</c>.
    /// </summary>
    [Flag(LoraGroup, "The probability with which an input of the LoRA is left out in training.", Minimum = 0, Maximum = 1,
        OpenMaximum = true)]
    public double LoraDropout { get; init; }

    /// <summary>Train a bias of each layer's LoRA too, default false. Flag <c>--lora_bias</c>.</summary>
    [Flag(LoraGroup, "Train a bias of each layer's LoRA too; plain LoRA only, and kohya's and ComfyUI's layouts have no place for it.")]
    public bool LoraBias { get; init; }

    /// <summary>
    /// The transformer modules that get LoRA, separated by commas; null (the default): the attention projections. Flag
    /// <c>--lora_layers</c>.
    /// </summary>
    [Flag(
        LoraGroup, "Transformer modules that get LoRA, separated by commas.", Placeholder = "NAMES",
        DefaultText = "the attention projections")]
    public string? LoraLayers { get; init; }

    /// <summary>
    /// The transformer blocks that get LoRA, numbers from 0 separated by commas; null (the default): all. Flag <c>--lora_blocks</c>.
    /// </summary>
    [Flag(LoraGroup, "Transformer blocks that get LoRA, numbers from 0 separated by commas.", Placeholder = "NUMBERS", DefaultText = "all")]
    public string? LoraBlocks { get; init; }

    /// <summary>Train LoRA on both CLIP encoders too, default false. Flag <c>--train_text_encoder</c>.</summary>
    [Flag(LoraGroup, "Train LoRA on both CLIP encoders too.")]
    public bool TrainTextEncoder { get; init; }

    /// <summary>Where to compute: auto (CUDA where there is one), cpu, cuda or cuda:N; default auto. Flag <c>--device</c>.</summary>
    [Flag(MachineGroup, "Where to compute: auto (CUDA where there is one), cpu, cuda or cuda:N.", Placeholder = "DEVICE")]
    public string Device { get; init; } = "auto";

    /// <summary>The precision to compute in, default no (32-bit floats). Flag <c>--mixed_precision</c>.</summary>
    [Flag(MachineGroup, "The precision to compute in; no is 32-bit floats.")]
    public MixedPrecision MixedPrecision { get; init; }

    /// <summary>
    /// Which parts of the models are in memory at a time, default auto: the command line picks fast, balanced or low by predicted need; in
    /// code, auto means fast. Flag <c>--memory</c>.
    /// </summary>
    [Flag(
        MachineGroup,
        "What is in memory: fast (everything), balanced (text encoders and autoencoder only while they are used, T5 block by block), low "
        + "(balanced and gradient_checkpointing), or auto: the first that fits by prediction.")]
    public MemoryMode Memory { get; init; }

    /// <summary>
    /// Recompute activations in the backward pass instead of keeping them, default false. Flag <c>--gradient_checkpointing</c>.
    /// </summary>
    [Flag(MachineGroup, "Save memory: recompute activations in the backward pass instead of keeping them.")]
    public bool GradientCheckpointing { get; init; }

    /// <summary>
    /// Capture a micro-batch's pass as a CUDA graph and replay it, default true; no effect without CUDA. Flag <c>--cuda_graph</c>.
    /// </summary>
    [Flag(
        MachineGroup,
        "Capture a micro-batch's pass once and replay it, several times as fast with small pictures; CUDA only. --cuda_graph=false: launch "
        + "each operation by itself.")]
    public bool CudaGraph { get; init; } = true;

    /// <summary>
    /// The folder that the LoRA, checkpoints and records are written to, default outputs/sd3-lora. Flag <c>--output_dir</c>.
    /// </summary>
    [Flag(OutputGroup, "Folder that the LoRA, checkpoints and records are written to.", Placeholder = "FOLDER")]
    public string OutputDir { get; init; } = "outputs/sd3-lora";

    /// <summary>
    /// Replace what the training of another subject left in <see cref="OutputDir"/>, default false: such a folder is an error. Flag
    /// <c>--overwrite_output_dir</c>.
    /// </summary>
    [Flag(OutputGroup, "Replace the LoRA and checkpoints of another subject in output_dir; without it such a folder is an error.")]
    public bool OverwriteOutputDir { get; init; }

    /// <summary>
    /// The layouts that the LoRA is written in, separated by commas, default diffusers: diffusers (pytorch_lora_weights.safetensors, always
    /// written), comfyui (comfyui_lora_weights.safetensors), kohya (kohya_lora_weights.safetensors), peft (the folder peft). Flag
    /// <c>--export</c>.
    /// </summary>
    [Flag(
        OutputGroup,
        "Layouts that the LoRA is written in, separated by commas: diffusers (pytorch_lora_weights.safetensors, always written), comfyui "
        + "(the original model's names, comfyui_lora_weights.safetensors), kohya (sd-scripts' names, kohya_lora_weights.safetensors), peft "
        + "(the folder peft).", Placeholder = "NAMES")]
    public string Export { get; init; } = TrainingExports.Diffusers;

    /// <summary>
    /// Whether the LoRA is written a second time in diffusers' names, with alpha / rank multiplied into its weights, for programs that do
    /// not read alpha from the header: auto (the default; in fp32 where alpha is not the rank), none, fp32, bf16 or fp16. Without effect
    /// where <see cref="Export"/> has comfyui, whose file has that name. Flag <c>--export_dtype</c>.
    /// </summary>
    [Flag(
        OutputGroup,
        "Second file of the LoRA, comfyui_lora_weights.safetensors, with alpha / rank in its weights, for programs that do not read alpha "
        + "from the header: auto (in fp32, where lora_alpha is not the rank), none, fp32, bf16 or fp16. Not beside --export comfyui.",
        Choices = ["auto", "none", "fp32", "bf16", "fp16"])]
    public string ExportDtype { get; init; } = TrainingExports.Auto;

    /// <summary>
    /// Leave out of the files of class and validation pictures what they were made with, default false; a hidden log beside them knows it.
    /// Flag <c>--no_metadata</c>.
    /// </summary>
    [Flag(
        OutputGroup,
        "Leave out of the files of class and validation pictures what they were made with; a hidden log beside them keeps it.")]
    public bool NoMetadata { get; init; }

    /// <summary>Write a checkpoint every N optimizer steps, at least 1, default 500. Flag <c>--checkpointing_steps</c>.</summary>
    [Flag(OutputGroup, "Write a checkpoint every N optimizer steps.", Minimum = 1)]
    public int CheckpointingSteps { get; init; } = 500;

    /// <summary>Keep only the newest N checkpoints, at least 1; null (the default): all. Flag <c>--checkpoints_total_limit</c>.</summary>
    [Flag(OutputGroup, "Keep only the newest N checkpoints.", Minimum = 1, DefaultText = "all")]
    public int? CheckpointsTotalLimit { get; init; }

    /// <summary>
    /// A checkpoint folder to resume from, or "latest"; null (the default): start from scratch. Flag <c>--resume_from_checkpoint</c>.
    /// </summary>
    [Flag(OutputGroup, "Checkpoint folder to resume from, or latest.", Placeholder = "FOLDER|latest", DefaultText = "start afresh")]
    public string? ResumeFromCheckpoint { get; init; }

    /// <summary>Prompt of the validation pictures; null (the default): none are generated. Flag <c>--validation_prompt</c>.</summary>
    [Flag(OutputGroup, "Prompt of the validation pictures.", DefaultText = "none are made")]
    public string? ValidationPrompt { get; init; }

    /// <summary>Validation pictures per validation, at least 0, default 4. Flag <c>--num_validation_images</c>.</summary>
    [Flag(OutputGroup, "Validation pictures per validation.", Minimum = 0, Maximum = 1_000_000)]
    public int NumValidationImages { get; init; } = 4;

    /// <summary>
    /// Generate validation pictures every N epochs, from the first on, and after the last step; at least 1, default 50. Flag
    /// <c>--validation_epochs</c>.
    /// </summary>
    [Flag(OutputGroup, "Validate every N epochs, and at the end.", Minimum = 1)]
    public int ValidationEpochs { get; init; } = 50;

    /// <summary>
    /// Generate validation pictures every N optimizer steps instead, and after the last; at least 1; null (the default): by epochs. Flag
    /// <c>--validation_steps</c>.
    /// </summary>
    [Flag(OutputGroup, "Validate every N optimizer steps instead.", Minimum = 1, DefaultText = "by validation_epochs")]
    public int? ValidationSteps { get; init; }

    /// <summary>
    /// Side of a validation picture in pixels, a multiple of 16, at least 16; null (the default): the model's own size. Flag
    /// <c>--validation_resolution</c>.
    /// </summary>
    [Flag(
        OutputGroup, "Side of a validation picture in pixels.", Minimum = 16, MultipleOf = 16, Maximum = 16_384,
        DefaultText = "the model's own size")]
    public int? ValidationResolution { get; init; }

    /// <summary>Denoising steps of a validation picture, 1 to 1000, default 28. Flag <c>--validation_inference_steps</c>.</summary>
    [Flag(OutputGroup, "Denoising steps of a validation picture.", Minimum = 1, Maximum = 1000)]
    public int ValidationInferenceSteps { get; init; } = 28;

    /// <summary>Guidance of validation pictures, at least 0, default 7. Flag <c>--validation_guidance_scale</c>.</summary>
    [Flag(OutputGroup, "Guidance of validation pictures.", Minimum = 0)]
    public double ValidationGuidanceScale { get; init; } = 7.0;

    /// <summary>
    /// Measure the loss on instance pictures at fixed noise levels with fixed noise every N optimizer steps, at least 1; null (the
    /// default): never. Flag <c>--validation_loss_steps</c>.
    /// </summary>
    [Flag(OutputGroup, "Measure the loss at fixed noise levels every N optimizer steps.", Minimum = 1, DefaultText = "never")]
    public int? ValidationLossSteps { get; init; }

    /// <summary>The transformer modules that get LoRA; null: the default ones.</summary>
    public IReadOnlyList<string>? LoraLayerNames => LoraLayers is null ? null : Split(LoraLayers);

    /// <summary>The transformer blocks that get LoRA, numbers from 0; null: all.</summary>
    /// <exception cref="LabException"><see cref="LoraBlocks"/> is no list of numbers.</exception>
    public IReadOnlyList<int>? LoraBlockNumbers => LoraBlocks is null ? null
        : NumberList.Parse(LoraBlocks)
            ?? throw new LabException(
                $"lora_blocks is '{ShownText.Line(LoraBlocks)}'; valid is a list of block numbers from 0, such as 12,30.");

    private static List<string> Split(string names) =>
        [.. names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
}
