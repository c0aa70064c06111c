using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Where and how a pipeline's models are loaded.</summary>
public sealed record PipelineOptions
{
    /// <summary>Device of the models. Default: the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Element type of the transformer and the text encoders. Default: float32.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Element type of the autoencoder. Default: float32.</summary>
    public ScalarType VaeDtype { get; init; } = ScalarType.Float32;

    /// <summary>Whether the transformer's large products have 8 bits; for generation only. Default: no.</summary>
    public Quantization Quantization { get; init; }

    /// <summary>
    /// Whether the transformer's forward is captured as a CUDA graph and replayed, once for each call that generates with 14 steps or more,
    /// where the device waits for the processor, as with small pictures. CUDA only, and not with <see cref="StreamTransformer"/>;
    /// elsewhere, and where it fails, plain calls. Default: true.
    /// </summary>
    public bool CudaGraph { get; init; } = true;

    /// <summary>Which parts of the models are in device memory at a time. Default: everything.</summary>
    public MemoryMode Memory { get; init; } = MemoryMode.Fast;

    /// <summary>
    /// Whether the transformer's blocks are loaded one by one in every step, for a device that does not hold them all; for generation only.
    /// The other models are then in memory only while they are used, whatever <see cref="Memory"/> says. Default: false.
    /// </summary>
    public bool StreamTransformer { get; init; }

    /// <summary>How many blocks stay with <see cref="StreamTransformer"/>, 0 or more; as many as there are at most. Default 0.</summary>
    internal int ResidentBlocks { get; init; }

    /// <summary>Whether the T5 encoder is loaded where the folder has one; without it its tokens are zeros.</summary>
    public bool WithT5 { get; init; } = true;

    /// <summary>
    /// The preferred variant of the files, such as <c>fp16</c> for <c>model.fp16.safetensors</c>; null for the plain files.
    /// </summary>
    public string? Variant { get; init; }

    /// <summary>
    /// Where a model that is one file finds what the file lacks (text encoders, autoencoder, tokenizers): a published folder, or one with
    /// <c>clip_l.safetensors</c>, <c>clip_g.safetensors</c>, <c>t5xxl_fp16.safetensors</c>; null for the file's own folder.
    /// </summary>
    public string? ComponentsFolder { get; init; }

    /// <summary>The models that a single file is recognised as. Default: the three published ones.</summary>
    public IReadOnlyList<SingleFilePreset> SingleFilePresets { get; init; } = SingleFilePreset.Published;

    /// <summary>
    /// A folder with <c>clip/</c> and <c>t5/</c> vocabularies for model folders that carry none; null for <c>LAB_TOKENIZERS</c>.
    /// </summary>
    public string? TokenizersFolder { get; init; }

    /// <summary>Parses the options that a user gave as text.</summary>
    /// <param name="device">auto (CUDA where there is one), cpu, cuda or cuda:N.</param>
    /// <param name="dtype">auto (bf16 on CUDA, else fp32), fp32, fp16 or bf16: for the autoencoder as well.</param>
    /// <exception cref="LabException">A word is none of these, or there is no such device.</exception>
    public static PipelineOptions Parse(string device, string dtype)
    {
        var chosen = DeviceSelection.Parse(device);
        var type = dtype switch
        {
            "fp32" => ScalarType.Float32,
            "fp16" => ScalarType.Float16,
            "bf16" => ScalarType.BFloat16,
            "auto" => chosen.type == TorchSharp.DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32,
            _ => throw new LabException($"The precision is '{ShownText.Line(dtype)}'; valid values are auto, fp32, fp16 and bf16."),
        };
        return new PipelineOptions { Device = chosen, Dtype = type, VaeDtype = type };
    }
}
