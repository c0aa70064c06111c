using System.Diagnostics;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// Generates the pictures of sweeps with one pipeline. Pictures on disk with a record of the same settings are not repeated; items that
/// agree in all but prompt and seed are batched. A LoRA is loaded for the items that name it and removed afterwards; those that the
/// pipeline already has act on every picture. Who shares a batch is settled by the whole sweep, not by what is missing or by who generates
/// it: rounding depends on a batch's size, and so a sweep in parts, or continued, has the same bits as in one run.
/// </summary>
internal sealed class SweepRunner
{
    private readonly StableDiffusion3Pipeline _pipeline;
    private readonly SweepRunnerOptions _options;

    /// <summary>Creates the runner.</summary>
    /// <param name="pipeline">The models; they stay the caller's.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="LabException">The batch size is below 1.</exception>
    public SweepRunner(StableDiffusion3Pipeline pipeline, SweepRunnerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        _pipeline = pipeline;
        _options = options ?? new SweepRunnerOptions();
        if (_options.BatchSize < 1)
            throw new LabException($"The batch size of the sweep is {_options.BatchSize}; 1 or more is valid.");
    }

    /// <summary>Generates what is missing of a sweep.</summary>
    /// <param name="sweep">The pictures.</param>
    /// <param name="folder">
    /// Where they go, as <c>NNN_prompt/img_XX.png</c> beside <c>results.jsonl</c> and, once all are there, <c>results.csv</c>; created when
    /// missing.
    /// </param>
    /// <param name="cancellation">Ends the run between two denoising steps.</param>
    /// <returns>One record an item, in order; with a shard, of those items that are there, from all parts.</returns>
    /// <exception cref="LabException">An item is not valid for the model, or a LoRA does not fit.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; pictures that were decoded are kept with their records.</exception>
    public IReadOnlyList<SweepResult> Run(Sweep sweep, string folder, CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentNullException.ThrowIfNull(sweep);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        sweep.Validate();
        var (shard, full) = (_options.Shard, Path.GetFullPath(folder));
        using var held = RunFolder.Open(
            folder, $"the sweep '{sweep.Name}'", "the sweep's folder", shard, () => SweepLog.Gather(folder), cancellation);
        var run = new State(sweep, folder, Hashes(sweep));
        var batches = Batches(run);
        held.ClearLeftovers(shard is null ? null : run.Own.Select(index => Path.GetFullPath(run.Paths[index], full)).ToHashSet().Contains);
        Reuse(run);
        Report(run);
        batches = [.. batches.Select(group => group.FindAll(batch => batch.Any(run.IsMissing))).Where(group => group.Count > 0)];
        _pipeline.PreparePrompts(
            batches.SelectMany(group => group).Select(batch => Request([.. batch.Select(index => sweep.Items[index])], null)));
        foreach (var group in batches)
            Generate(run, group, cancellation);
        TakeOthers(run);
        var results = run.Results.OfType<SweepResult>().ToArray();
        if (results.Length == sweep.Items.Count && held.TryTakeWhole())
        {
            SweepLog.Write(folder, results);
            SweepTable.Write(folder, results);
        }

        return results;
    }

    // Batches of this part, by the settings that they share.
    private List<List<int[]>> Batches(State run)
    {
        var units = Enumerable.Range(0, run.Paths.Count).GroupBy(index => run.Sweep.Items[index].BatchKey)
            .SelectMany(group => group.Chunk(_options.UnitSize ?? _options.BatchSize)).ToList();
        var own = Shard.Groups(units, _options.Shard);
        run.Own = [.. own.SelectMany(unit => unit)];
        return [.. own.GroupBy(unit => run.Sweep.Items[unit[0]].BatchKey)
            .Select(group => group.SelectMany(unit => unit.Chunk(_options.BatchSize)).ToList())];
    }

    private void Reuse(State run)
    {
        var records = Records(run);
        foreach (var i in run.Own)
        {
            var item = run.Sweep.Items[i];
            if (Serving(run, records, i) is not { } record || WholePicture.Load(Path.Combine(run.Folder, run.Paths[i])) is not { } picture)
                continue;
            if (_options.Judge is { } judge && !IsJudged(record))
            {
                record = record with
                {
                    Judge = judge.Name,
                    JudgeFingerprint = judge.Fingerprint,
                    Scores = judge.Score(item.Prompt, picture.Image),
                };
                if (_options.Shard is { } shard)
                    SweepLog.Append(run.Folder, [record], shard);
            }

            run.Results[i] = record;
            run.Reused++;
        }
    }

    // What other parts have done by now; pictures appear whole.
    private void TakeOthers(State run)
    {
        var records = Records(run);
        foreach (var i in Enumerable.Range(0, run.Results.Length).Except(run.Own))
        {
            if (Serving(run, records, i) is { } record && IsJudged(record) && File.Exists(Path.Combine(run.Folder, record.Path)))
                run.Results[i] = record;
        }
    }

    private static Dictionary<string, SweepResult> Records(State run) =>
        SweepLog.Read(run.Folder).ToDictionary(record => record.Path, StringComparer.Ordinal);

    private SweepResult? Serving(State run, Dictionary<string, SweepResult> records, int index)
    {
        var item = run.Sweep.Items[index];
        return records.TryGetValue(run.Paths[index], out var record)
            && record.Serves(item, run.Paths[index], _options.Model, run.HashOf(item), run.SourceOf(item))
            ? record with { Item = item } : null;
    }

    private bool IsJudged(SweepResult record) =>
        _options.Judge is not { } judge || (record.Judge, record.JudgeFingerprint) == (judge.Name, judge.Fingerprint);

    private void Generate(State run, List<int[]> batches, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var first = run.Sweep.Items[batches[0][0]];
        var adapter = first.Lora is null ? null : LoadLora(first.Lora, first.LoraScale);
        try
        {
            foreach (var batch in batches)
                GenerateBatch(run, batch, cancellation);
        }
        finally
        {
            if (adapter is not null)
                _pipeline.UnloadLora(adapter);
        }
    }

    private LoraAdapter LoadLora(string path, double scale)
    {
        _pipeline.LoadLora(path, scale);
        return _pipeline.Adapters[^1];
    }

    private void GenerateBatch(State run, int[] batch, CancellationToken cancellation)
    {
        SweepItem[] items = [.. batch.Select(index => run.Sweep.Items[index])];
        var (mark, denoising) = (Stopwatch.GetTimestamp(), 0.0);
        using var noise = items[0].Image is null ? Noise(items) : null;
        var request = SweepSource.Begin(Request(items, noise), items, _pipeline);
        using var encoding = request.EncodingNoise;
        using var start = request.StartNoise;
        var images = _pipeline.GenerateEach(
            request,
            step =>
            {
                Report(run, step.Step, step.Count, items);
                if (step.Step == step.Count)
                    (denoising, mark) = (Stopwatch.GetElapsedTime(mark).TotalSeconds, Stopwatch.GetTimestamp());
            },
            cancellation);
        foreach (var (i, image) in images.Index().Where(entry => run.IsMissing(batch[entry.Index])))
        {
            Keep(run, batch, i, image, (denoising / items.Length) + Stopwatch.GetElapsedTime(mark).TotalSeconds);
            mark = Stopwatch.GetTimestamp();
        }

        Report(run);
    }

    private void Keep(State run, int[] batch, int row, RgbImage image, double seconds)
    {
        var index = batch[row];
        var item = run.Sweep.Items[index];
        var request = Request([.. batch.Select(one => run.Sweep.Items[one])], null);
        var record = PictureRecord.Of(request, _pipeline.Origin, _pipeline.Options, _pipeline.LoraOrigins) with
        {
            Prompt = item.Prompt,
            Seed = item.Seed,
            StepNoiseSeed = request.Sampler.DrawsNoise ? request.NoiseSeeds![row] : null,
            BatchSize = batch.Length,
            BatchRow = row,
            BatchPrompts = request.Prompts.Count,
        };
        record = SweepSource.Note(record, item, run.SourceOf(item));
        record.Save(Path.Combine(run.Folder, run.Paths[index]), image, _options.Metadata);
        var result = run.Results[index] = new SweepResult
        {
            Path = run.Paths[index],
            Item = item,
            Seconds = seconds,
            Judge = _options.Judge?.Name,
            JudgeFingerprint = _options.Judge?.Fingerprint,
            Scores = _options.Judge?.Score(item.Prompt, image),
            Model = _options.Model,
            LoraSha256 = run.HashOf(item),
            SourceSha256 = run.SourceOf(item),
        };
        SweepLog.Append(run.Folder, [result], _options.Shard);
        _options.OnPicture?.Invoke(result, image);
    }

    // One prompt is encoded once, however many seeds it has.
    private static GenerationRequest Request(SweepItem[] items, Tensor? noise)
    {
        var first = items[0];
        var same = items.All(item => item.Prompt == first.Prompt);
        return new GenerationRequest
        {
            Prompts = same ? [first.Prompt] : [.. items.Select(item => item.Prompt)],
            NegativePrompts = first.NegativePrompt is null ? null : [first.NegativePrompt],
            NumImagesPerPrompt = same ? items.Length : 1,
            NumInferenceSteps = first.Steps,
            GuidanceScale = first.Guidance,
            CacheInterval = first.CacheInterval,
            CacheOrder = first.CacheOrder,
            Guidance = first.GuidanceDetails ?? new(),
            SkipGuidanceLayers = first.SkipGuidanceLayers is { } layers ? NumberList.Parse(layers) : null,
            Height = first.Height,
            Width = first.Width,
            Latents = noise,
            Sampler = new SamplerConfig { Kind = first.Sampler, Sigmas = first.Sigmas },
            NoiseSeeds = [.. items.Select(item => GenerationRequest.NoiseSeed(item.Seed, 0))],
        };
    }

    // Every picture draws its own noise, so that it does not depend on its neighbours: [B, C, h, w].
    private Tensor Noise(SweepItem[] items)
    {
        var (height, width) = _pipeline.LatentSize(items[0].Height, items[0].Width);
        return SeededNoise.NormalEach([_pipeline.Transformer.Config.InChannels, height, width], items.Select(item => item.Seed));
    }

    private void Report(State run, int step = 0, int stepCount = 0, SweepItem[]? batch = null) =>
        _options.OnProgress?.Invoke(new SweepProgress(
            run.Own.Count(index => !run.IsMissing(index)), run.Own.Count, run.Reused, step, stepCount, batch?.Length ?? 0,
            batch?[0].Prompt ?? string.Empty));

    private static Dictionary<string, string> Hashes(Sweep sweep) =>
        sweep.Items.Select(item => item.Lora).OfType<string>().Distinct(StringComparer.Ordinal)
            .ToDictionary(path => path, Hash, StringComparer.Ordinal);

    /// <summary>SHA-256 of a LoRA's file, in hexadecimal.</summary>
    /// <exception cref="LabException">It is not there, or cannot be read.</exception>
    internal static string Hash(string path)
    {
        var file = LoraFile.Resolve(path);
        try
        {
            RegularFile.Require(file);
            return FileHash.Sha256(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The LoRA {file} cannot be read: {error.Message}", error);
        }
    }

    private sealed class State(Sweep sweep, string folder, Dictionary<string, string> hashes)
    {
        private readonly Dictionary<(string?, string?), string?> _sources = [];

        public Sweep Sweep { get; } = sweep;

        public string Folder { get; } = folder;

        public IReadOnlyList<string> Paths { get; } = sweep.Paths();

        public IReadOnlyList<int> Own { get; set; } = [];

        public SweepResult?[] Results { get; } = new SweepResult?[sweep.Items.Count];

        public int Reused { get; set; }

        public string? HashOf(SweepItem item) => item.Lora is null ? null : hashes[item.Lora];

        public string? SourceOf(SweepItem item)
        {
            if (!_sources.TryGetValue((item.Image, item.Mask), out var hash))
                _sources[(item.Image, item.Mask)] = hash = SweepSource.HashOf(item);
            return hash;
        }

        public bool IsMissing(int index) => Results[index] is null;
    }
}
