using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// The sizes of the two encoders that score a training's validation pictures, by their files; no weights are read. On a GPU they compute in
/// 16 bits and are there only while they score.
/// </summary>
/// <param name="Dino">Numbers of DINO.</param>
/// <param name="Clip">Numbers of CLIP, of pictures and of texts.</param>
/// <param name="Beside">Numbers that the larger holds beside its weights while it encodes a batch, an estimate.</param>
/// <param name="OnGpu">Whether they compute on a GPU.</param>
internal sealed record JudgeSize(long Dino, long Clip, long Beside, bool OnGpu)
{
    /// <summary>Element type of the weights.</summary>
    public ScalarType Dtype => OnGpu ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>The weights, counted.</summary>
    public IReadOnlyList<MemoryTerm> Weights => [Term("DINO", Dino), Term("CLIP", Clip)];

    /// <summary>What is held beside them, estimated.</summary>
    public MemoryTerm Activations =>
        new("scoring activations", Beside * ComponentSize.ElementSize(Dtype), false, "of one layer of the larger encoder, for a batch");

    /// <summary>The encoders that a training's configuration names. Nothing is downloaded.</summary>
    /// <param name="config">The training.</param>
    /// <returns>Null where it scores without encoders, or where the hub's cache does not have them.</returns>
    /// <exception cref="LabException">A file of them is missing or not valid.</exception>
    public static JudgeSize? Find(DreamBoothConfig config)
    {
        if (!IsAsked(config))
            return null;
        var hub = new HubResolver(config.HubOptions() with { Offline = true });
        try
        {
            return Read(hub.Encoder(config.EvaluationDino!), hub.Encoder(config.EvaluationClip!), config);
        }
        catch (HubException error) when (error.Kind == HubErrorKind.Offline)
        {
            return null;
        }
    }

    /// <summary>Whether a training scores with encoders.</summary>
    /// <param name="config">The training.</param>
    public static bool IsAsked(DreamBoothConfig config) =>
        config is { EvaluationDino: not null, EvaluationClip: not null } && (config.EvaluationSteps ?? config.WatchSteps) is not null;

    private static JudgeSize Read(string dino, string clip, DreamBoothConfig config)
    {
        var pictures = Math.Min(config.NumValidationImages, ValidationScores.Batch);
        var onGpu = config.Device == "auto" ? DeviceSelection.Parse(config.Device).type == DeviceType.CUDA : config.Device != "cpu";
        return new JudgeSize(
            Numbers(dino, ViTModel.IsSuperfluous), Numbers(clip, name => name == "logit_scale"),
            pictures * Math.Max(PerPicture(dino), PerPicture(clip)), onGpu);
    }

    // Old files of CLIP have the numbers of places, which are integers.
    private static long Numbers(string folder, Func<string, bool> isSuperfluous)
    {
        using var weights = Checkpoint.OpenFolder(folder, ViTModel.WeightsName);
        return weights.Entries.Where(entry => entry.Value.DType != ScalarType.Int64 && !isSuperfluous(entry.Key))
            .Sum(entry => entry.Value.ElementCount);
    }

    // The pixels, and of each token what a layer of CLIP's text encoder, which is made alike, holds at its widest.
    private static long PerPicture(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        var pixels = ImageProcessorConfig.Read(Path.Combine(folder, "preprocessor_config.json"));
        var (width, inner, patch) = Layer(path);
        var tokens = 1 + ((long)(pixels.Height / patch) * (pixels.Width / patch));
        var use = ActivationCoefficients.InUse;
        return (3L * pixels.Height * pixels.Width) + (long)(tokens * ((use.ClipHidden * width) + (use.ClipFeedForward * inner)));
    }

    private static (int Width, int Inner, int Patch) Layer(string path)
    {
        if (JsonField.ReadFile(path).Get("model_type").Text().StartsWith("clip", StringComparison.Ordinal))
        {
            var clip = CLIPVisionConfig.Read(path);
            return (clip.HiddenSize, clip.IntermediateSize, clip.PatchSize);
        }

        var vit = ViTConfig.Read(path);
        return (vit.HiddenSize, vit.InnerWidth, vit.PatchSide);
    }

    private MemoryTerm Term(string name, long numbers) =>
        new($"{name} weights", numbers * ComponentSize.ElementSize(Dtype), true, $"scores pictures: {numbers:N0} numbers in {Dtype}");
}
