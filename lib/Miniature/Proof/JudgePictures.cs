using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>The pictures that the judge is tried on, kept as files so that other encoders can judge the same.</summary>
internal sealed class JudgePictures : IDisposable
{
    private const int BatchSize = 12;

    private static readonly string[] Places = ["", " on a beach", " in the snow", " on a forest path"];

    private readonly JudgeProofOptions _options;
    private readonly StableDiffusion3Pipeline _pipeline;

    /// <summary>Loads the model.</summary>
    public JudgePictures(JudgeProofOptions options)
    {
        _options = options;
        MiniatureFolder.Verify(options.Training.PretrainedModelNameOrPath);
        var device = Native.DeviceSelection.Parse(options.Training.Device);
        _pipeline = StableDiffusion3Pipeline.Load(options.Training.PretrainedModelNameOrPath, new PipelineOptions { Device = device });
    }

    /// <summary>Prompts with the identifier, by which checkpoints are put in order: photos in some places.</summary>
    public string[] Photos =>
        [.. Places.SelectMany(place => Enumerable.Repeat(_options.Training.InstancePrompt + place, _options.PicturesPerPrompt))];

    /// <summary>The instance prompt alone, by which copies are looked for.</summary>
    public string[] Plain => [.. Enumerable.Repeat(_options.Training.InstancePrompt, _options.PlainPictures)];

    /// <summary>The same without the identifier: any cat, which shows drift.</summary>
    public string[] AnyCat => [.. Enumerable.Repeat(
        _options.Training.InstancePrompt.Replace($"{Character.GmcCat.Name} cat", Captioner.WithArticle("cat"), StringComparison.Ordinal),
        _options.ClassPictures)];

    /// <summary>Pictures of some prompts; the noise of a place is the same for every model.</summary>
    /// <param name="name">Folder of the pictures below the output folder.</param>
    /// <param name="lora">The LoRA's file or folder, or null for the model as it is.</param>
    /// <param name="prompts">One a picture.</param>
    public IReadOnlyList<RgbImage> Of(string name, string? lora, string[] prompts)
    {
        var folder = Path.Combine(_options.Output, "pictures", name);
        string PathOf(int i) => Path.Combine(folder, $"{i:D3}.png");
        if (Enumerable.Range(0, prompts.Length).All(i => File.Exists(PathOf(i))))
            return [.. prompts.Select((_, i) => ImageDecoder.Load(PathOf(i)))];
        _options.Log($"Pictures {name}");
        if (lora is not null)
            _pipeline.LoadLora(lora);
        try
        {
            var images = prompts.Chunk(BatchSize).SelectMany((part, i) => Generate(part, _options.Seed + (ulong)(i * BatchSize))).ToArray();
            for (var i = 0; i < images.Length; i++)
                ImageEncoder.Save(PathOf(i), images[i]);
            return images;
        }
        finally
        {
            if (lora is not null)
                _pipeline.UnloadLora(_pipeline.Adapters[^1]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _pipeline.Dispose();

    private IReadOnlyList<RgbImage> Generate(string[] prompts, ulong seed) => _pipeline.Generate(
        new GenerationRequest
        {
            Prompts = prompts,
            NumInferenceSteps = _options.Steps,
            GuidanceScale = _options.GuidanceScale,
            MaxSequenceLength = _options.Training.MaxSequenceLength,
            Seed = seed,
        },
        cancellation: _options.Cancellation);
}
