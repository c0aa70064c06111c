using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Sweeps;

/// <summary>A picture that is generated again by its record, and what a user changes of it.</summary>
internal sealed class RepeatedPicture
{
    /// <summary>Flags of a picture that is begun from another one.</summary>
    public static IReadOnlyList<string> Begun { get; } = ["image", "mask", "strength"];

    private static readonly GenerationRequest _defaults = new() { Prompts = [] };

    private readonly string _source;
    private readonly RgbImage _image;

    private RepeatedPicture(string source, RgbImage image, PictureRecord record, GenerateConfig config)
    {
        (_source, _image, Record, Config) = (source, image, record, config);
        Target = Path.Combine(config.OutputDir, Path.GetFileNameWithoutExtension(source) + ".png");
    }

    /// <summary>What its file says.</summary>
    public PictureRecord Record { get; }

    /// <summary>The options: the record's, where the user gave no others.</summary>
    public GenerateConfig Config { get; }

    /// <summary>What the user changed, a phrase each; empty where the same picture must come.</summary>
    public List<string> Changes { get; } = [];

    /// <summary>The file that it is written to.</summary>
    public string Target { get; }

    /// <summary>The precision of the autoencoder; null where the user chose another precision, or where it is not known.</summary>
    public ScalarType? VaeDtype { get; private init; }

    /// <summary>Reads a picture.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="given">The flags that the user gave beside it.</param>
    /// <exception cref="LabException">It is no picture or has no such record; the message tells what can be read.</exception>
    public static RepeatedPicture Read(string path, IReadOnlyDictionary<Flag, object?> given)
    {
        if (!File.Exists(path))
            throw new LabException($"There is no picture {path}; from names a picture's file.");
        var (image, content) = WholePicture.Load(path) ?? throw new LabException($"{path} is no picture, or it is damaged.");
        var record = PictureRecord.Read(PictureNotes.Read(path, content)) ?? throw ForeignPicture.Explain(path, content);
        var dtype = DtypeOf(record.Dtype);
        var values = Values(record, dtype).Where(entry => record.ImageSha256 is not null || entry.Name != "strength")
            .ToDictionary(entry => Find(entry.Name), entry => entry.Value);
        var changes = new List<string>();
        foreach (var (flag, value) in given)
        {
            if (Begun.Contains(flag.Name) && record.ImageSha256 is null)
                continue;
            if (values.TryGetValue(flag, out var before) && !Equals(before, value))
                changes.Add($"{flag.Name} is {Shown(value)}; the picture's was {Shown(before)}");
            values[flag] = value;
        }

        var config = GenerateConfig.Flags.Build(values);
        (config with
        {
            PretrainedModelNameOrPath = config.PretrainedModelNameOrPath ?? record.Model ?? "unknown",
            Image = record.ImageSha256,
            Axis = [],
        }).Validate();
        var isOwn = dtype is not null && config.Dtype == dtype;
        var picture = new RepeatedPicture(path, image, record, config) { VaeDtype = isOwn ? TypeOf(record.VaeDtype) : null };
        picture.Changes.AddRange(changes);
        return picture;
    }

    /// <summary>Checks that nothing is replaced.</summary>
    /// <exception cref="LabException">A picture is there already, or it is the source.</exception>
    public void CheckTarget()
    {
        if (File.Exists(Target) && RealPath.AreSame(Target, _source))
            throw new LabException($"{Target} is the picture that is to be repeated. Name another output_dir.");
        if (File.Exists(Target) && !Config.Overwrite)
            throw new LabException($"{Target} is there already. Name another output_dir, or give overwrite to replace it.");
    }

    /// <summary>The record of the picture that is generated now.</summary>
    /// <param name="pipeline">The model with the LoRA.</param>
    /// <param name="sources">What it is begun from; null for noise.</param>
    /// <remarks>A changed picture needs no batch like the one that the picture was made in.</remarks>
    public PictureRecord Final(StableDiffusion3Pipeline pipeline, (string Image, string? Mask)? sources)
    {
        var request = Config.Request(Config.Prompt!) with { Strength = Config.Strength ?? _defaults.Strength };
        var isOwnSeed = (ulong)Config.Seed == SeedOf(Record);
        var stepNoise = isOwnSeed && Record.StepNoiseSeed is { } own ? own : GenerationRequest.NoiseSeed((ulong)Config.Seed, 0);
        return PictureRecord.Of(request, pipeline.Origin, pipeline.Options, pipeline.LoraOrigins) with
        {
            StepNoiseSeed = Config.Sampling.DrawsNoise ? stepNoise : null,
            PromptWeighting = Config.PromptWeighting ? true : null,
            ImageSha256 = sources is { } begun ? SourcePictures.Hash(begun.Image) : null,
            Strength = sources is null ? null : request.Strength,
            Mask = sources?.Mask is { } mask ? mask == SourcePictures.Alpha ? mask : SourcePictures.Hash(mask) : null,
            Seed = isOwnSeed ? Record.Seed : (ulong)Config.Seed,
            Index = isOwnSeed ? Record.Index : 0,
            NoiseSeed = isOwnSeed ? Record.NoiseSeed : null,
            NoiseIndex = isOwnSeed ? Record.NoiseIndex : null,
            BatchSize = Changes.Count == 0 ? Record.BatchSize : 1,
            BatchRow = Changes.Count == 0 ? Record.BatchRow : 0,
            BatchPrompts = Changes.Count == 0 ? Record.BatchPrompts : 1,
        };
    }

    /// <summary>
    /// Finds the picture that it was begun from, and the mask, by their hashes: at what the user names, else at the usual places. Another
    /// file that is named is a change.
    /// </summary>
    /// <param name="places">Folders to look in where the user names nothing.</param>
    /// <returns>The files; null where it was begun from noise. The mask is a file, alpha, or null for none.</returns>
    /// <exception cref="LabException">A file is at none of the places; the message tells its hash.</exception>
    public (string Image, string? Mask)? FindSources(IReadOnlyList<string> places)
    {
        if (Record.ImageSha256 is not { } image)
            return null;
        var found = Find("image", "picture", image, Config.Image, places);
        var named = Config.Mask == SourcePictures.Alpha ? null : Config.Mask;
        if (Record.Mask is null or SourcePictures.Alpha)
        {
            if (Config.Mask is not null && Config.Mask != Record.Mask)
                Changes.Add($"mask is {Config.Mask}; the picture's was {Record.Mask ?? "none"}");
            return (found, Config.Mask ?? Record.Mask);
        }

        return (found, Config.Mask == SourcePictures.Alpha ? Config.Mask : Find("mask", "mask", Record.Mask, named, places));
    }

    private string Find(string flag, string what, string sha256, string? named, IReadOnlyList<string> places)
    {
        if (PictureSearch.Picture(sha256, named is null ? places : [named]) is { } found)
            return found;
        if (named is not null && File.Exists(named))
        {
            Changes.Add($"{flag} is {named}; the picture's was one with the SHA-256 {sha256}");
            return named;
        }

        throw new LabException(
            $"{_source} was begun from a {what} with the SHA-256 {sha256}, which is not in "
            + $"{ShownText.Names(named is null ? places : [named])}. Name its file, or a folder with it, by --{flag}.");
    }

    /// <summary>How the picture that was generated differs from the one that was read, in words.</summary>
    /// <param name="image">The new one.</param>
    /// <param name="device">Where it was generated.</param>
    public string Compare(RgbImage image, Device device)
    {
        // A jpg has lost something when it was written; the new picture loses the same.
        var isJpeg = Path.GetExtension(_source).ToLowerInvariant() is ".jpg" or ".jpeg";
        var now = isJpeg ? ImageDecoder.Decode(ImageEncoder.EncodeJpeg(image), _source) : image;
        if ((now.Width, now.Height) != (_image.Width, _image.Height))
            return $"of another size than {_source}";
        if (now.Pixels.AsSpan().SequenceEqual(_image.Pixels))
            return $"the same pixels as {_source}, bit for bit";
        var largest = now.Pixels.Zip(_image.Pixels, (a, b) => Math.Abs(a - b)).Max();
        var why = Changes.Count > 0 || Record.Device is null || Record.Device == PictureRecord.NameOf(device) ? string.Empty
            : $"; that was made on {Record.Device}, this on {PictureRecord.NameOf(device)}";
        return string.Create(CultureInfo.InvariantCulture, $"differs from {_source} by at most {largest} of 255{why}");
    }

    private static IEnumerable<(string Name, object? Value)> Values(PictureRecord record, string? dtype) =>
    [
        ("strength", record.Strength), ("prompt", record.Prompt), ("negative_prompt", record.NegativePrompt),
        ("clip_skip", record.ClipSkip),
        ("max_sequence_length", record.MaxSequenceLength), ("num_steps", record.Steps), ("guidance", record.Guidance),
        ("height", record.Height), ("width", record.Width), ("seed", (long)SeedOf(record)),
        ("skip_guidance_layers", record.SkipGuidanceLayers),
        ("skip_layer_guidance_scale", record.SkipLayerGuidanceScale ?? _defaults.SkipLayerGuidanceScale),
        ("skip_layer_guidance_start", record.SkipLayerGuidanceStart ?? _defaults.SkipLayerGuidanceStart),
        ("skip_layer_guidance_stop", record.SkipLayerGuidanceStop ?? _defaults.SkipLayerGuidanceStop),
        ("cache_interval", record.CacheInterval ?? 1), ("cache_order", record.CacheOrder ?? 0),
        ("sampler", record.Sampling.Kind), ("sigmas", record.Sampling.Sigmas),
        ("truncate_timesteps", record.Sampling.TruncateTimesteps), ("guidance_start", record.GuidanceDetails.Start),
        ("guidance_end", record.GuidanceDetails.End), ("guidance_rescale", record.GuidanceDetails.Rescale),
        ("cfg_zero_star", record.GuidanceDetails.ZeroStar), ("zero_steps", record.GuidanceDetails.ZeroSteps),
        ("perturbed_layers", record.GuidanceDetails.PerturbedLayers), ("perturbed_scale", record.GuidanceDetails.PerturbedScale),
        ("prompt_weighting", record.PromptWeighting == true), ("variant", record.Variant),
        ("without_t5", record.WithoutT5), ("dtype", dtype ?? "auto"),
        ("quantization", EnumNames.Find<Quantization>(record.Quantization ?? string.Empty) ?? Quantization.None),
    ];

    // The flag takes numbers from 0 to 2^63 - 1.
    private static ulong SeedOf(PictureRecord record) => record.Seed & long.MaxValue;

    private static Flag Find(string name) => GenerateConfig.Flags.Find(name)!;

    private static string Shown(object? value) => value is null ? "not given" : ShownText.Line(Flag.Format(value), 60);

    private static ScalarType? TypeOf(string? name) => Enum.TryParse<ScalarType>(name, out var type) ? type : null;

    private static string? DtypeOf(string? name) => TypeOf(name) switch
    {
        ScalarType.Float32 => "fp32",
        ScalarType.Float16 => "fp16",
        ScalarType.BFloat16 => "bf16",
        _ => null,
    };
}
