using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <content>Where the pictures go, and what computes them.</content>
public sealed partial record GenerateConfig
{
    /// <summary>
    /// Transformer layers of perturbed-attention guidance, numbers from 0 separated by commas; null: off. Flag <c>--perturbed_layers</c>.
    /// </summary>
    [Flag(
        SamplingGroup, "Perturbed-attention guidance: layers whose image tokens see only themselves and the text in the prediction that "
        + "is steered away from, such as 1; with --guidance or without. Half as long again.", Placeholder = "NUMBERS", DefaultText = "off")]
    public string? PerturbedLayers { get; init; }

    /// <summary>Scale of perturbed-attention guidance, default 3. Flag <c>--perturbed_scale</c>.</summary>
    [Flag(SamplingGroup, "Scale of perturbed-attention guidance.")]
    public double PerturbedScale { get; init; } = 3;

    /// <summary>The folder for the pictures, default outputs/generated. Flag <c>--output_dir</c>, <c>--outdir</c>.</summary>
    [Flag(
        OutputGroup, "Folder for the pictures: NNN_<prompt>/img_XX.png, both numbers from 0.", Aliases = ["outdir"],
        Placeholder = "FOLDER")]
    public string OutputDir { get; init; } = "outputs/generated";

    /// <summary>
    /// Generate every picture again, default false: complete pictures with the same settings are kept. Flag <c>--overwrite</c>.
    /// </summary>
    [Flag(OutputGroup, "Generate every picture again, including existing ones; without it a run continues where an earlier one ended.")]
    public bool Overwrite { get; init; }

    /// <summary>
    /// The part of the pictures that this process generates, as 0/4, or auto: from the variables of a Slurm array, an indexed Kubernetes
    /// Job or several ranks; null (the default): all. Processes with different parts share the output folder. Flag <c>--shard</c>.
    /// </summary>
    [Flag(
        OutputGroup, "Only this part of the pictures, such as 0/4: the first of four processes that share the output folder; "
        + Foundation.Shard.Help, Placeholder = "PART/PARTS", DefaultText = "all")]
    public string? Shard { get; init; }

    /// <summary>
    /// Leave out of the pictures' files what they were made with, default false; a hidden log beside them knows it, so that a later run
    /// finds its own. Flag <c>--no_metadata</c>.
    /// </summary>
    [Flag(OutputGroup, "Leave out of the pictures' files what they were made with; a hidden log beside them keeps it for later runs.")]
    public bool NoMetadata { get; init; }

    /// <summary>
    /// Leave out the page of the pictures, <c>index.html</c> and <c>thumbnails/</c> in the output folder, default false. Flag
    /// <c>--no_page</c>.
    /// </summary>
    [Flag(OutputGroup, "Leave out the page of the pictures: index.html and thumbnails/ in the output folder.")]
    public bool NoPage { get; init; }

    /// <summary>Where to compute: auto (CUDA where there is one), cpu, cuda or cuda:N; default auto. Flag <c>--device</c>.</summary>
    [Flag(OutputGroup, "Where to compute: auto (CUDA where there is one), cpu, cuda or cuda:N.", Placeholder = "DEVICE")]
    public string Device { get; init; } = "auto";

    /// <summary>
    /// The precision to compute in: auto (bf16 on CUDA, else fp32), fp32, fp16 or bf16; default auto. Flag <c>--dtype</c>.
    /// </summary>
    [Flag(OutputGroup, "The precision to compute in; auto is bf16 on CUDA, else fp32.", Choices = ["auto", "fp32", "fp16", "bf16"])]
    public string Dtype { get; init; } = "auto";

    /// <summary>Whether the transformer's large products have 8 bits, default none. Flag <c>--quantization</c>.</summary>
    [Flag(
        OutputGroup, "An approximation: fp8 keeps the weights of the transformer's attention and feed-forward in 8 bits, half the memory, "
        + "and multiplies in 8 bits; on CUDA from Ada on, for large pictures and batches faster. Elsewhere emulated, and slow.")]
    public Quantization Quantization { get; init; }

    /// <summary>
    /// Which parts of the models are in memory at a time, default auto: the first of fast, balanced and low that is predicted to fit.
    /// Pictures are the same. Flag <c>--memory</c>.
    /// </summary>
    [Flag(
        OutputGroup,
        "What is in memory: fast (everything), balanced (text encoders and autoencoder only while they are used, T5 block by block), low "
        + "(the transformer block by block too, where the device does not hold it), or auto: the first that fits by prediction.")]
    public MemoryMode Memory { get; init; }
}
