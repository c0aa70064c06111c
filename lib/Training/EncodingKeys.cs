using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The keys of a run's encodings in an <see cref="EncodingFolder"/>: the content of the picture or the text, the model, every setting that
/// acts, the device and the program itself. What differs in any of them is encoded anew.
/// </summary>
internal sealed class EncodingKeys
{
    private readonly string _program;
    private readonly StableDiffusion3Pipeline _pipeline;
    private readonly string _reading;
    private readonly Dictionary<string, string> _contents = new(StringComparer.Ordinal);
    private readonly Lazy<string> _vae;

    /// <summary>Prepares the keys of a dataset's encodings.</summary>
    /// <param name="pipeline">The models; the autoencoder's weights are there whenever a picture's key is made.</param>
    /// <param name="dataset">The pictures.</param>
    public EncodingKeys(StableDiffusion3Pipeline pipeline, DreamBoothDataset dataset)
    {
        (_pipeline, _program) = (pipeline, Program(pipeline.Options));
        // What a view does not say of how pixels are read, also what later versions add.
        _reading = (dataset.Options with
        {
            InstanceDataDir = string.Empty,
            InstancePrompt = string.Empty,
            ClassDataDir = null,
            ClassPrompt = null,
            NumClassImages = null,
            CaptionColumn = null,
            ImageColumn = string.Empty,
            Repeats = 1,
            Resolution = 0,
            CenterCrop = false,
            RandomFlip = false,
            OnBadImage = default,
            MinImageSize = 1,
            Seed = 0,
        }).ToString();
        _vae = new(() => HashOf(pipeline.Vae));
    }

    /// <summary>The key of a picture's latents.</summary>
    /// <param name="view">What is encoded of it.</param>
    public string OfPicture(PictureView view)
    {
        if (!_contents.TryGetValue(view.Path, out var content))
            _contents.Add(view.Path, content = FileHash.Sha256(view.Path));
        return Text(
            "latents", content, $"{view.ResizedTo} {view.Flip} {view.Crop}", _reading, _vae.Value, $"{_pipeline.Options.VaeDtype}");
    }

    /// <summary>The key of a text's embeddings; null where it is not known which models encode it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">Number of T5 tokens.</param>
    /// <param name="onlyT5">Whether T5's part alone is meant.</param>
    public string? OfText(string text, int length, bool onlyT5) => _pipeline.Stamp is not { } stamp ? null : Text(
        "text", text, $"{length}", onlyT5 ? "T5" : "all", stamp, $"{_pipeline.Options.Dtype}", $"{_pipeline.Options.Memory}",
        $"{_pipeline.Prompts.T5 is not null} {_pipeline.Prompts.PromptWeighting}");

    // The assembly's version id changes with its code.
    private static string Program(PipelineOptions options)
    {
        var device = options.Device.type == TorchSharp.DeviceType.CUDA
            ? $"{GpuMemory.Read(options.Device)?.Name} {backends.cuda.matmul.allow_tf32} {backends.cudnn.allow_tf32}"
            : $"{RuntimeInformation.ProcessArchitecture} {Vector512.IsHardwareAccelerated} {get_num_threads()}";
        return $"{typeof(EncodingKeys).Module.ModuleVersionId} {typeof(Tensor).Module.ModuleVersionId} {__version__} "
            + $"{options.Device.type} {device}";
    }

    private static string HashOf(AutoencoderKL vae)
    {
        using var scope = NewDisposeScope();
        return SafetensorsWriter.Measure(StateDictLoader.StateDict(vae)).Sha256 + JsonSerializer.Serialize(vae.Config, JsonFile.Options);
    }

    private string Text(params string[] parts) => JsonSerializer.Serialize(parts.Append(_program));
}
