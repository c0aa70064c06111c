using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>What is to judge the pictures of a model that learns a subject.</summary>
internal sealed record JudgeRequest
{
    /// <summary>The model, as the user names it.</summary>
    public required string Model { get; init; }

    /// <summary>The folder of the subject's photos.</summary>
    public required string Photos { get; init; }

    /// <summary>What to do with photos that cannot be used.</summary>
    public BadImagePolicy OnBadImage { get; init; }

    /// <summary>A DINO or DINOv2, a folder or a name on the hub; null for the miniature's classifier.</summary>
    public string? Dino { get; init; }

    /// <summary>A whole CLIP, a folder or a name on the hub; goes with <see cref="Dino"/>.</summary>
    public string? Clip { get; init; }

    /// <summary>How pictures are prepared for the encoders.</summary>
    public ImageProtocol Protocol { get; init; }

    /// <summary>Where the encoders compute, as <see cref="DeviceSelection.Parse"/> takes it.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The encoders' element type; null: bfloat16 on a GPU, else float32.</summary>
    public ScalarType? Dtype { get; init; }

    /// <summary>Whether the photos are looked at without their middle too, for <see cref="EvaluationScoring"/>.</summary>
    public bool WithSurroundings { get; init; }

    /// <summary>The judge that a training asks for.</summary>
    /// <param name="config">The training.</param>
    public static JudgeRequest Of(DreamBoothConfig config) => new()
    {
        Model = config.PretrainedModelNameOrPath,
        Photos = config.InstanceDataDir,
        OnBadImage = config.OnBadImage,
        Dino = config.EvaluationDino,
        Clip = config.EvaluationClip,
        Protocol = config.EvaluationProtocol,
        Device = config.Device,
    };

    /// <summary>Loads it and shows it the photos.</summary>
    /// <param name="hub">Finds encoders that are named by their names on the hub; null for one without progress.</param>
    /// <returns>The caller's.</returns>
    /// <exception cref="LabException">There is none for this model and these photos, or a file is missing or does not fit.</exception>
    public IPictureJudge Open(HubResolver? hub = null) => Prepare(hub)();

    /// <summary>Finds what it needs, so that what is missing is told before pictures are generated.</summary>
    /// <param name="hub">As for <see cref="Open"/>.</param>
    /// <param name="cancellation">Ends a download.</param>
    /// <returns>Loads it, as <see cref="Open"/> does.</returns>
    /// <exception cref="LabException">There is none for this model and these photos, or an encoder cannot be had.</exception>
    public Func<IPictureJudge> Prepare(HubResolver? hub = null, CancellationToken cancellation = default)
    {
        if (Dino is not null && Clip is not null)
        {
            hub ??= new HubResolver();
            var dino = hub.Encoder(Dino, cancellation: cancellation);
            var clip = hub.Encoder(Clip, cancellation: cancellation);
            return () => OpenEncoders(dino, clip, (NameOf(Dino), NameOf(Clip)));
        }

        if (Dino is null && Clip is null && MiniatureFolder.ClassifierOf(Model, Photos) is { } classifier)
            return () => CharacterMeasures.Load(classifier, Photos, graded: true);
        throw new LabException(
            "Nothing can score the pictures: the lab's own classifier reads pictures of the miniature that learns data/cat_gmc only. Name "
            + "two encoders, folders or names on the hub: evaluation_dino, such as facebook/dinov2-small, and evaluation_clip, such as "
            + "openai/clip-vit-large-patch14.");
    }

    // 16 bits are enough for a cosine's third decimal, and a GPU's memory is the training's: weights are there while they score.
    private SubjectJudge OpenEncoders(string dino, string clip, (string Dino, string Clip) names)
    {
        var device = DeviceSelection.Parse(Device);
        var onGpu = device.type == TorchSharp.DeviceType.CUDA;
        var encoders = SubjectEncoders.Load(
            dino, clip, Protocol, device, Dtype ?? (onGpu ? ScalarType.BFloat16 : ScalarType.Float32), names, onGpu);
        try
        {
            return new SubjectJudge(
                encoders, PictureFolder.Read(Photos, OnBadImage).Pictures.Select(picture => ImageDecoder.LoadOverWhite(picture.Path)),
                WithSurroundings);
        }
        catch
        {
            encoders.Dispose();
            throw;
        }
    }

    private static string NameOf(string encoder) =>
        HubResolver.IsOnHub(encoder, out var repo, out _) ? repo.ToString()
            : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(encoder)));
}
