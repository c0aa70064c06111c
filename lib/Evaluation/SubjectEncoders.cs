using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// The two encoders of DreamBooth's evaluation: DINO, which tells one subject from another of its kind, and CLIP, which compares pictures
/// with texts. DINOv2 can stand in DINO's place.
/// </summary>
internal sealed class SubjectEncoders : IDisposable
{
    /// <summary>The hub's DINOv2 that is taken where none is named. The paper's facebook/dino-vits16 has no safetensors there.</summary>
    public const string DefaultDino = "facebook/dinov2-small";

    /// <summary>The hub's CLIP that is taken where none is named.</summary>
    public const string DefaultClip = "openai/clip-vit-large-patch14";

    private readonly ImageEmbedder _dino;
    private readonly CLIPModel _clip;
    private readonly ImageEmbedder _clipImages;
    private readonly ITextTokenizer _tokenizer;
    private readonly Device _device;
    private WeightsOnDemand? _weights;

    private SubjectEncoders(
        ImageEmbedder dino, CLIPModel clip, ImageEmbedder clipImages, ITextTokenizer tokenizer, Device device, string name) =>
        (_dino, _clip, _clipImages, _tokenizer, _device, Name) = (dino, clip, clipImages, tokenizer, device, name);

    /// <summary>Both encoders and the protocol, as it stands beside every figure.</summary>
    public string Name { get; }

    /// <summary>Changes with the encoders' files.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Loads two published model folders.</summary>
    /// <param name="dino">A folder of DINO or DINOv2.</param>
    /// <param name="clip">A folder of a whole CLIP model with its tokenizer.</param>
    /// <param name="protocol">How pictures are prepared.</param>
    /// <param name="device">Where they compute.</param>
    /// <param name="dtype">In which type.</param>
    /// <param name="names">What the two are called beside figures; null for their folders' names.</param>
    /// <param name="onDemand">Whether weights are on the device only while they encode or are held, and in their files otherwise.</param>
    /// <exception cref="LabException">A file is missing or does not fit.</exception>
    public static SubjectEncoders Load(
        string dino, string clip, ImageProtocol protocol, Device device, ScalarType dtype, (string Dino, string Clip)? names = null,
        bool onDemand = false)
    {
        static string Last(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        var (dinoName, clipName) = names ?? (Last(dino), Last(clip));
        var name = $"DINO {dinoName}, CLIP {clipName}, protocol {protocol.ToString().ToLowerInvariant()}";
        var tokenizer = TokenizerLoader.Load(clip);
        var first = ImageEmbedder.Load(dino, protocol, device, dtype, onDemand);
        CLIPModel? model = null;
        try
        {
            if (first.IsClip)
                throw new LabException($"{dino} holds CLIP; DINO or DINOv2 is needed, which tells subjects of one kind apart.");
            model = CLIPModel.Load(clip, onDemand ? META : device, dtype);
            var images = ImageEmbedder.Of(model.Vision, ImageProcessor.Load(clip, protocol), device, dtype);
            var encoders = new SubjectEncoders(first, model, images, tokenizer, device, name)
            {
                Fingerprint = ModelFingerprint.Of(dino) + ModelFingerprint.Of(clip),
            };
            if (onDemand)
                encoders.KeepInFiles(dino, clip, dtype);
            return encoders;
        }
        catch
        {
            model?.Dispose();
            first.Dispose();
            throw;
        }
    }

    /// <summary>Keeps weights on the device over several calls, where each would load and free them.</summary>
    /// <returns>Frees them when disposed; null where they are there all the time.</returns>
    /// <exception cref="LabException">A file was changed or removed.</exception>
    public IDisposable? Hold() => _weights?.Hold();

    /// <summary>Encodes pictures with both.</summary>
    /// <param name="images">At least one.</param>
    public SubjectEmbeddings Encode(IReadOnlyList<RgbImage> images)
    {
        using var held = Hold();
        using var scope = NewDisposeScope();
        return new SubjectEmbeddings(UnitVectors.Of(_dino.Encode(images)), UnitVectors.Of(_clipImages.Encode(images)));
    }

    /// <summary>Prepares pictures for both, on all processor cores.</summary>
    /// <param name="images">At least one.</param>
    public EncoderInput Prepare(IReadOnlyList<RgbImage> images)
    {
        Tensor[] dino = new Tensor[images.Count], clip = new Tensor[images.Count];
        try
        {
            Enumerable.Range(0, images.Count).AsParallel().ForAll(i =>
            {
                dino[i] = _dino.Processor.Stack([images[i]]);
                clip[i] = _clipImages.Processor.Stack([images[i]]);
            });
            return new EncoderInput(cat(dino, dim: 0), cat(clip, dim: 0));
        }
        finally
        {
            // What could not be prepared is null.
            foreach (var image in dino.Concat(clip))
                image?.Dispose();
        }
    }

    /// <summary>Encodes prepared pictures with both, and with DINO once more without their middle.</summary>
    /// <param name="input">What <see cref="Prepare"/> made.</param>
    public SubjectEmbeddings Encode(EncoderInput input)
    {
        using var held = Hold();
        using var scope = NewDisposeScope();
        return new SubjectEmbeddings(
            UnitVectors.Of(_dino.Encode(input.Dino)), UnitVectors.Of(_clipImages.Encode(input.Clip)),
            UnitVectors.Of(_dino.Encode(input.Surroundings())));
    }

    /// <summary>Encodes texts with CLIP, cut to its window.</summary>
    /// <param name="texts">At least one.</param>
    public UnitVectors Encode(IReadOnlyList<string> texts)
    {
        using var held = Hold();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var window = _clip.Text.Config.MaxPositionEmbeddings;
        var ids = tensor(texts.SelectMany(text => _tokenizer.EncodePadded(text, window)).ToArray(), [texts.Count, window]);
        return UnitVectors.Of(_clip.Text.forward(ids.to(_device)).TextEmbeds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _dino.Dispose();
        _clipImages.Dispose();
        _clip.Dispose();
    }

    // What holds the three is no owner of theirs.
    private void KeepInFiles(string dino, string clip, ScalarType dtype)
    {
        nn.Module[] ofClip = [_clip.Vision, _clip.Text];
        _weights = new WeightsOnDemand(nn.ModuleList([_dino.Module, .. ofClip]), () =>
        {
            using var first = Checkpoint.OpenFolder(dino, ViTModel.WeightsName);
            StateDictLoader.Fill(_dino.Module, first, string.Empty, _device, dtype);
            using var second = Checkpoint.OpenFolder(clip, CLIPVisionModelWithProjection.WeightsName);
            foreach (var half in ofClip)
                StateDictLoader.Fill(half, second, string.Empty, _device, dtype);
        });
    }
}
