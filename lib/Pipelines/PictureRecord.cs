using System.Reflection;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// All that repeats a picture, kept in its file as JSON. Without paths: pictures get shared. On the same kind of device and libtorch equal
/// records mean equal bits. The batch belongs to them: matrix products of another height round otherwise, and a picture of a batch is not
/// that of one alone, but the same whatever else is in a batch of that size (a test holds both).
/// </summary>
internal sealed partial record PictureRecord
{
    private const int MostDraws = 1_000_000;
    private const int MostAtATime = 1024;

    /// <summary>2; records of before have no batch, no contents' hash of the model and no sizes of LoRA.</summary>
    public int Version { get; init; } = 2;

    /// <summary>What it shows.</summary>
    public required string Prompt { get; init; }

    /// <summary>What it should not show; null for the empty text.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>The seed that a user gave for it.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Its number among the pictures of prompt and seed, from 0.</summary>
    public int Index { get; init; }

    /// <summary>The seed of the generator that drew its noise; null for <see cref="Seed"/>.</summary>
    public ulong? NoiseSeed { get; init; }

    /// <summary>Which of that generator's draws it is, from 0; null for <see cref="Index"/>.</summary>
    public int? NoiseIndex { get; init; }

    /// <summary>Pictures that were made at a time.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Its place among them, from 0.</summary>
    public int BatchRow { get; init; }

    /// <summary>Prompts that were encoded at a time: 1, or as many as pictures.</summary>
    public int BatchPrompts { get; init; } = 1;

    /// <summary>The model's name.</summary>
    public string? Model { get; init; }

    /// <summary><see cref="ModelOrigin.Fingerprint"/>.</summary>
    public string? ModelFingerprint { get; init; }

    /// <summary><see cref="ModelOrigin.Tokenizers"/>.</summary>
    public string? TokenizersFingerprint { get; init; }

    /// <summary>The preferred variant of the model's files; null for the plain ones.</summary>
    public string? Variant { get; init; }

    /// <summary>Whether T5 was left out.</summary>
    public bool WithoutT5 { get; init; }

    /// <summary>Names of the LoRA.</summary>
    public IReadOnlyList<string> Lora { get; init; } = [];

    /// <summary>How strongly each acted.</summary>
    public IReadOnlyList<double> LoraScale { get; init; } = [];

    /// <summary>SHA-256 of each file.</summary>
    public IReadOnlyList<string> LoraSha256 { get; init; } = [];

    /// <summary>Length of each file; fewer where it is not known.</summary>
    public IReadOnlyList<long> LoraBytes { get; init; } = [];

    /// <summary>Denoising steps.</summary>
    public int Steps { get; init; }

    /// <summary>Classifier-free guidance.</summary>
    public double Guidance { get; init; }

    /// <summary>Width in pixels; null for the model's own.</summary>
    public int? Width { get; init; }

    /// <summary>Height in pixels; null for the model's own.</summary>
    public int? Height { get; init; }

    /// <summary>Layers of the CLIP encoders left out.</summary>
    public int? ClipSkip { get; init; }

    /// <summary>Rows of T5 text; null for the default.</summary>
    public int? MaxSequenceLength { get; init; }

    /// <summary>Layers of skip-layer guidance, separated by commas; null where it is off, as are the next three.</summary>
    public string? SkipGuidanceLayers { get; init; }

    /// <summary>Its scale.</summary>
    public double? SkipLayerGuidanceScale { get; init; }

    /// <summary>Where it starts.</summary>
    public double? SkipLayerGuidanceStart { get; init; }

    /// <summary>Where it stops.</summary>
    public double? SkipLayerGuidanceStop { get; init; }

    /// <summary>The transformer's blocks ran in every this many-th step; null for each, as is the next.</summary>
    public int? CacheInterval { get; init; }

    /// <summary>How it was bridged between them.</summary>
    public int? CacheOrder { get; init; }

    /// <summary>SHA-256 of the file of the picture that it was begun from; null for none, as are the next two.</summary>
    public string? ImageSha256 { get; init; }

    /// <summary>How much of the way from noise it went again.</summary>
    public double? Strength { get; init; }

    /// <summary>SHA-256 of the mask's file, or alpha for what is transparent in the picture; null where all was made anew.</summary>
    public string? Mask { get; init; }

    /// <summary>Precision of transformer and text encoders.</summary>
    public string? Dtype { get; init; }

    /// <summary>The quantization of the transformer's products, as <c>fp8</c>; null for none.</summary>
    public string? Quantization { get; init; }

    /// <summary>Precision of the autoencoder; null for <see cref="Dtype"/>.</summary>
    public string? VaeDtype { get; init; }

    /// <summary>cpu or cuda.</summary>
    public string? Device { get; init; }

    /// <summary>The program and libtorch.</summary>
    public string? Program { get; init; }

    /// <summary>The LoRA.</summary>
    internal IEnumerable<UsedLora> Loras =>
        Lora.Zip(LoraSha256).Select((lora, i) => new UsedLora(lora.First, lora.Second, i < LoraBytes.Count ? LoraBytes[i] : -1));

    /// <summary>What of it says which picture it is: equal ones mean equal pictures, up to rounding.</summary>
    internal string Key =>
        (this with { Version = 0, BatchSize = 1, BatchRow = 0, BatchPrompts = 1, Device = null, Program = null }).ToNote();

    /// <summary>The text that its file keeps.</summary>
    public string ToNote() => JsonLines.Line(this);

    /// <summary>Writes a picture with this record, and with the text for other programs in a png.</summary>
    /// <param name="path">Ends in .png or .jpg.</param>
    /// <param name="image">The picture.</param>
    /// <param name="inFile">Whether the file tells it; if not, a hidden log beside it does.</param>
    public void Save(string path, RgbImage image, bool inFile) =>
        PictureNotes.Save(path, image, ToNote(), PictureParameters.Of(this, image.Width, image.Height), inFile);

    /// <summary>Puts this record into an existing png, or takes it out into the log beside it.</summary>
    /// <param name="path">The picture.</param>
    /// <param name="image">Its pixels, which stay as they are.</param>
    /// <param name="content">The whole file.</param>
    /// <param name="inFile">Whether the file shall tell it.</param>
    public void Move(string path, RgbImage image, byte[] content, bool inFile) =>
        PictureNotes.Move(path, content, ToNote(), PictureParameters.Of(this, image.Width, image.Height), inFile);

    /// <summary>The record of a picture, without its place in a batch.</summary>
    /// <param name="request">What is generated; its first prompt and negative prompt count.</param>
    /// <param name="model">The model.</param>
    /// <param name="options">How it is loaded.</param>
    /// <param name="loras">The LoRA, with how strongly each acts.</param>
    public static PictureRecord Of(
        GenerationRequest request, ModelOrigin? model, PipelineOptions options, IReadOnlyList<(UsedLora Lora, double Scale)> loras) =>
        new PictureRecord
        {
            Prompt = request.Prompts[0],
            NegativePrompt = request.NegativePrompts?[0],
            Seed = request.Seed,
            Model = model?.Name,
            ModelFingerprint = model?.Fingerprint,
            TokenizersFingerprint = model?.Tokenizers,
            Variant = options.Variant,
            WithoutT5 = !options.WithT5,
            Lora = [.. loras.Select(lora => lora.Lora.Name)],
            LoraScale = [.. loras.Select(lora => lora.Scale)],
            LoraSha256 = [.. loras.Select(lora => lora.Lora.Sha256)],
            LoraBytes = [.. loras.Select(lora => lora.Lora.Bytes)],
            Steps = request.NumInferenceSteps,
            Guidance = request.GuidanceScale,
            Width = request.Width,
            Height = request.Height,
            ClipSkip = request.ClipSkip,
            MaxSequenceLength = request.MaxSequenceLength,
            SkipGuidanceLayers = request.SkipGuidanceLayers is { } layers ? string.Join(',', layers) : null,
            SkipLayerGuidanceScale = request.SkipGuidanceLayers is null ? null : request.SkipLayerGuidanceScale,
            SkipLayerGuidanceStart = request.SkipGuidanceLayers is null ? null : request.SkipLayerGuidanceStart,
            SkipLayerGuidanceStop = request.SkipGuidanceLayers is null ? null : request.SkipLayerGuidanceStop,
            CacheInterval = request.CacheInterval > 1 ? request.CacheInterval : null,
            CacheOrder = request.CacheInterval > 1 ? request.CacheOrder : null,
            Dtype = options.Dtype.ToString(),
            Quantization = options.Quantization == Pipelines.Quantization.None ? null : EnumNames.Of(options.Quantization),
            VaeDtype = options.VaeDtype.ToString(),
            Device = NameOf(options.Device),
            Program = $"dreambooth-lab {typeof(PictureRecord).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?
            .InformationalVersion.Split('+')[0]}, libtorch {__version__}",
        }.WithSampling(request);

    /// <summary>A kind of device, as records name it.</summary>
    internal static string NameOf(Device device) => device.type.ToString().ToLowerInvariant();

    /// <summary>Reads a record.</summary>
    /// <param name="note">What a picture's file keeps; or null.</param>
    /// <returns>Null where that is none, as a class picture's of before, or has values that no picture has.</returns>
    public static PictureRecord? Read(string? note)
    {
        if (note is null)
            return null;
        try
        {
            var record = JsonField.Parse(note, "the picture's record").To<PictureRecord>();
            var counts = record.Lora.Count == record.LoraScale.Count && record.Lora.Count == record.LoraSha256.Count;
            var batch = record.BatchSize is >= 1 and <= MostAtATime && record.BatchRow >= 0
                && record.BatchRow < record.BatchSize && (record.BatchPrompts == 1 || record.BatchPrompts == record.BatchSize);
            var noise = record.NoiseIndex ?? record.Index;
            return counts && batch && noise is >= 0 and < MostDraws && record.LoraSha256.All(hash => hash.Length == 64)
                && record.KnowsSampling ? record : null;
        }
        catch (LabException)
        {
            return null;
        }
    }

    /// <summary>The picture's noise, float32, <c>[1, C, h, w]</c>.</summary>
    /// <param name="pipeline">The model.</param>
    internal Tensor Noise(StableDiffusion3Pipeline pipeline)
    {
        var (height, width) = pipeline.LatentSize(Height, Width);
        using var generator = new Generator(NoiseSeed ?? Seed, CPU);
        return SeededNoise.NormalAt([1, pipeline.Transformer.Config.InChannels, height, width], generator, [NoiseIndex ?? Index]);
    }

    private GenerationRequest Begun(GenerationRequest request, RgbImage image, RgbImage? mask, StableDiffusion3Pipeline pipeline)
    {
        request = request with { Image = image, Mask = mask, Strength = Strength ?? request.Strength };
        request = pipeline.DrawStart(request, NoiseSeed ?? Seed, [NoiseIndex ?? Index]);
        return request with { StartNoise = request.StartNoise!.repeat(BatchSize, 1, 1, 1) };
    }

    /// <summary>Generates the picture again, in a batch like the one that it was made in.</summary>
    /// <param name="pipeline">The model with the LoRA.</param>
    /// <param name="source">The picture that it was begun from, and its mask; null for noise.</param>
    /// <param name="onStep">Called after each denoising step.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <exception cref="LabException">The record's settings are not valid for this model.</exception>
    internal RgbImage Repeat(
        StableDiffusion3Pipeline pipeline, (RgbImage Image, RgbImage? Mask)? source, Action<DenoisingStep>? onStep = null,
        CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        var noise = source is null ? Noise(pipeline).repeat(BatchSize, 1, 1, 1) : null;
        var request = new GenerationRequest
        {
            Prompts = [.. Enumerable.Repeat(Prompt, BatchPrompts)],
            NegativePrompts = NegativePrompt is null ? null : [NegativePrompt],
            NumImagesPerPrompt = BatchSize / BatchPrompts,
            NumInferenceSteps = Steps,
            GuidanceScale = Guidance,
            Height = Height,
            Width = Width,
            Latents = noise,
            ClipSkip = ClipSkip,
            MaxSequenceLength = MaxSequenceLength,
            SkipGuidanceLayers = SkipGuidanceLayers is null ? null : NumberList.Parse(SkipGuidanceLayers),
            SkipLayerGuidanceScale = SkipLayerGuidanceScale ?? 2.8,
            SkipLayerGuidanceStart = SkipLayerGuidanceStart ?? 0.01,
            SkipLayerGuidanceStop = SkipLayerGuidanceStop ?? 0.2,
            CacheInterval = CacheInterval ?? 1,
            CacheOrder = CacheOrder ?? 0,
            Sampler = Sampling,
            NoiseSeeds = StepNoiseSeed is { } seed ? [.. Enumerable.Repeat(seed, BatchSize)] : null,
            Guidance = GuidanceDetails,
        };
        if (source is var (image, mask))
            request = Begun(request, image, mask, pipeline);
        pipeline.Prompts.PromptWeighting = PromptWeighting == true;
        var row = pipeline.Denoise(request, onStep, cancellation).narrow(0, BatchRow, 1);
        return pipeline.DecodeOne(request, row, 0);
    }
}
