using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// The pictures of one <c>generate</c> run. Complete pictures with the same settings are kept; those that an earlier run left incomplete or
/// made with other settings are generated again. Who shares a batch is settled by the number of pictures of a prompt, not by what is
/// missing: rounding depends on a batch's size.
/// </summary>
internal sealed class GenerationRun
{
    private const int MostPictures = 1_000_000;

    private readonly GenerateConfig _config;
    private readonly IReadOnlyList<string> _prompts;
    private readonly IReadOnlyList<string?> _negatives;
    private readonly GenerationOrigin _origin;
    private readonly SourcePictures? _sources;
    private readonly IReadOnlyList<GenerateConfig> _variants;
    private readonly int[][] _missing;
    private readonly int[][] _own;
    private readonly Lazy<HashSet<string>> _ownPaths;

    /// <summary>Checks which pictures exist.</summary>
    /// <param name="config">The options.</param>
    /// <param name="prompts">The prompts.</param>
    /// <param name="origin">What the pictures are made with.</param>
    /// <exception cref="UsageException">There are more pictures than can be counted.</exception>
    /// <exception cref="LabException">Pictures of another model or LoRA, or of unknown origin, would be replaced.</exception>
    public GenerationRun(GenerateConfig config, IReadOnlyList<string> prompts, GenerationOrigin origin)
    {
        (_config, _prompts, _origin) = (config, prompts, origin);
        _variants = SettingAxis.Variants(config);
        _negatives = config.ReadNegativePrompts(prompts.Count);
        _sources = SourcePictures.Of(config);
        var total = (long)prompts.Count * config.NumImages * (_sources?.Count ?? 1) * _variants.Count;
        if (total > MostPictures)
        {
            throw new UsageException(
                $"num_images is {config.NumImages}, for {prompts.Count} prompt{(prompts.Count == 1 ? string.Empty : "s")}: that is "
                    + $"{total} pictures, and a run makes at most {MostPictures}. Give fewer.");
        }

        foreach (var variant in Enumerable.Range(0, _variants.Count))
            Request(0, [variant * OfVariant], null).Validate();
        var units = Enumerable.Range(0, prompts.Count).SelectMany(prompt => Units(Enumerable.Range(0, OfPrompt))
            .Select(unit => Array.ConvertAll(unit, image => (prompt * OfPrompt) + image))).ToList();
        var own = Shard.Groups(units, Shard.Parse(config.Shard)).SelectMany(unit => unit)
            .ToLookup(number => number / OfPrompt, number => number % OfPrompt);
        _own = [.. prompts.Select((_, prompt) => own[prompt].ToArray())];
        var found = Enumerable.Range(0, Total).AsParallel().AsOrdered().Select(Look).ToArray();
        if (!config.Overwrite && found.FirstOrDefault(entry => entry.Objection is not null) is { Objection: { } objection })
        {
            throw new LabException(
                $"{found.Count(entry => entry.Objection is not null)} of the pictures in {config.OutputDir} are not of {origin.Subject}: "
                + $"{objection}. "
                + "Name another output_dir, or give overwrite to replace them.");
        }

        _missing = [.. Enumerable.Range(0, prompts.Count).Select(prompt =>
            _own[prompt].Where(image => !found[(prompt * OfPrompt) + image].IsThere).ToArray())];
        _ownPaths = new(() =>
            [.. _own.Index().SelectMany(entry => entry.Item.Select(image => Path.GetFullPath(PathOf(entry.Index, image))))]);
        There = found.Count(entry => entry.IsThere);
    }

    /// <summary>Number of pictures in total.</summary>
    public int Total => _prompts.Count * OfPrompt;

    // Of each combination of settings, and in it of each picture to begin from, as many as are asked for.
    private int OfPrompt => _variants.Count * OfVariant;

    private int OfVariant => (_sources?.Count ?? 1) * _config.NumImages;

    /// <summary>Number of pictures of this part; all without a part.</summary>
    public int Own => _own.Sum(images => images.Length);

    /// <summary>Number of pictures that were there at the start, of all parts.</summary>
    public int There { get; }

    /// <summary>Number of pictures to generate, of this part.</summary>
    public int Missing => _missing.Sum(images => images.Length);

    /// <summary>Whether a file is this part's to write.</summary>
    /// <param name="path">A full path.</param>
    public bool IsOwn(string path) => _ownPaths.Value.Contains(path);

    /// <summary>Generates what is missing.</summary>
    /// <param name="pipeline">The models, with the LoRA.</param>
    /// <param name="batchSize">Pictures of a prompt at a time, 1 or more.</param>
    /// <param name="report">Told the denoising steps done and in all, and the prompt.</param>
    /// <param name="cancellation">Ends it between two steps; each picture is kept once it is decoded.</param>
    public void Execute(StableDiffusion3Pipeline pipeline, int batchSize, Action<int, int, string> report, CancellationToken cancellation)
    {
        pipeline.Prompts.PromptWeighting = _config.PromptWeighting;
        var batches = _own.Index().Select(entry => Units(entry.Item)
            .SelectMany(unit => unit.Chunk(batchSize)).Where(batch => batch.Intersect(_missing[entry.Index]).Any()).ToList()).ToList();
        var (done, steps) = (0, batches.SelectMany(ofPrompt => ofPrompt).Sum(CallsOf));
        var drawn = Enumerable.Range(0, _prompts.Count).Where(prompt => _missing[prompt].Length > 0);
        pipeline.PreparePrompts(drawn.SelectMany(prompt => Enumerable.Range(0, _variants.Count)
            .Select(variant => Request(prompt, [variant * OfVariant], null))));
        for (var prompt = 0; prompt < _prompts.Count; prompt++)
        {
            var text = _prompts[prompt];
            using var stream = new NoiseStream(pipeline, SeedOf(prompt));
            foreach (var batch in batches[prompt])
            {
                var variant = VariantOf(batch[0]);
                foreach (var (adapter, lora) in pipeline.Adapters.Zip(_config.Loras))
                    adapter.Weight = lora.Weight * variant.LoraScale;
                using var noise = _sources is null ? stream.Of(variant, PlacesOf(batch)) : null;
                var request = Request(prompt, batch, noise);
                request = _sources?.Begin(request, SourceOf(batch[0]), pipeline, SeedOf(prompt), PlacesOf(batch)) ?? request;
                using var encodingNoise = request.EncodingNoise;
                using var startNoise = request.StartNoise;
                var images = pipeline.GenerateEach(request, step => report(done + step.Step, steps, text), cancellation);
                foreach (var (i, image) in images.Index().Where(entry => _missing[prompt].Contains(batch[entry.Index])))
                {
                    var record = RecordOf(prompt, batch[i]) with { BatchSize = batch.Length, BatchRow = i };
                    record.Save(PathOf(prompt, batch[i]), image, !_config.NoMetadata);
                }

                done += CallsOf(batch);
            }
        }
    }

    private (bool IsThere, string? Objection) Look(int number)
    {
        var (prompt, image) = Math.DivRem(number, OfPrompt);
        var path = PathOf(prompt, image);
        if (_config.Overwrite || WholePicture.Load(path) is not { Image: var pixels, Content: var content })
            return (false, null);
        var note = PictureNotes.Read(path, content);
        if (PictureRecord.Read(note) is { } record && record.Key == RecordOf(prompt, image).Key)
        {
            if (ImageNote.Read(content) is null != _config.NoMetadata && _own[prompt].Contains(image))
                record.Move(path, pixels, content, !_config.NoMetadata);
            return (true, null);
        }

        var subject = GenerationOrigin.SubjectOf(note);
        return (false, subject == _origin.Subject ? null
            : $"{Path.GetRelativePath(_config.OutputDir, path)} is {(subject is null ? "of unknown origin" : $"of {subject}")}");
    }

    private string PathOf(int prompt, int image) =>
        Path.Combine(_config.OutputDir, PromptFolders.FolderName(prompt, _prompts[prompt]), PromptFolders.ImageName(image));

    private PictureRecord RecordOf(int prompt, int image)
    {
        var variant = VariantOf(image);
        var record = _origin.RecordOf(Request(prompt, [image], null), SeedOf(prompt), image % OfVariant, variant.LoraScale) with
        {
            PromptWeighting = _config.PromptWeighting ? true : null,
        };
        return _sources?.Note(record, SourceOf(image), image % _config.NumImages, Strength(variant)) ?? record;
    }

    private GenerateConfig VariantOf(int image) => _variants[image / OfVariant];

    private int SourceOf(int image) => image % OfVariant / _config.NumImages;

    private int CallsOf(int[] batch)
    {
        var variant = VariantOf(batch[0]);
        return GenerationRequest.CallsOf(variant.Sampling, variant.NumSteps, _sources is null ? null : Strength(variant));
    }

    private static double Strength(GenerateConfig variant) => variant.Strength ?? GenerationRequest.DefaultStrength;

    // Pictures that may be generated together: of one prompt, one combination of settings and one picture to begin from.
    private IEnumerable<int[]> Units(IEnumerable<int> images) => images.GroupBy(image => image / _config.NumImages)
        .SelectMany(group => group.Chunk(StableDiffusion3Pipeline.WorthAtATime));

    private int[] PlacesOf(int[] batch) => Array.ConvertAll(batch, image => image % _config.NumImages);

    private ulong SeedOf(int prompt) => (ulong)_config.Seed + (ulong)prompt;

    private GenerationRequest Request(int prompt, int[] images, Tensor? noise)
    {
        var variant = VariantOf(images[0]);
        return variant.Request(_prompts[prompt]) with
        {
            NegativePrompts = (_config.NegativePromptsFile is null ? variant.NegativePrompt : _negatives[prompt]) is { } negative
                ? [negative] : null,
            NumImagesPerPrompt = images.Length,
            Latents = noise,
            NoiseSeeds = [.. images.Select(image => GenerationRequest.NoiseSeed(SeedOf(prompt), image % OfVariant))],
            Strength = Strength(variant),
        };
    }
}
