using Dreambooth.Lab.Data;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Micro-batches of pictures. Every picture is encoded once, before training, except instance pictures whose crops and flips are drawn anew
/// for each use; latents are drawn from its moments each time. Prompts are encoded once too, except by CLIP encoders that are trained.
/// </summary>
internal sealed class DreamBoothBatches : ITrainingBatches, IDisposable
{
    private readonly DreamBoothDataset _dataset;
    private readonly BatchSampler _sampler;
    private readonly AutoencoderKL _vae;
    private readonly LatentCache? _latents;
    private readonly PromptCache _prompts;
    private readonly PromptEncoder? _trained;
    private readonly IDisposable? _held;
    private readonly LossMasks? _masks;
    private readonly ulong _seed;
    private readonly IReadOnlyList<string> _preserved;
    private (int Epoch, IReadOnlyList<int[]> Items)? _order;

    private DreamBoothBatches(
        DreamBoothDataset dataset, BatchSampler sampler, AutoencoderKL vae, LatentCache? latents, PromptCache prompts,
        PromptEncoder? trained, LossMasks? masks, IReadOnlyList<string> preserved, ulong seed)
    {
        _masks = masks;
        (_dataset, _sampler, _vae, _latents, _prompts, _trained, _seed) = (dataset, sampler, vae, latents, prompts, trained, seed);
        _preserved = preserved;
        _held = trained?.Hold();
    }

    // Encodes what is drawn anew for each use; null where all is cached.
    private Func<Tensor, LatentMoments>? Encoder { get; init; }

    private IDisposable? HeldVae { get; init; }

    /// <inheritdoc/>
    public int BatchesPerEpoch => _sampler.BatchesPerEpoch;

    /// <summary>Encodes the pictures and prompts of a dataset.</summary>
    /// <param name="dataset">The pictures.</param>
    /// <param name="pipeline">The models.</param>
    /// <param name="config">Batch size, text window, which encoders are trained.</param>
    /// <param name="seed">Seed of the order and of the latents' draws.</param>
    /// <param name="onEncoded">Told how many of N pictures are encoded.</param>
    /// <param name="kept">Where encodings are read from and kept; null for nowhere.</param>
    /// <param name="cancellation">Checked before each picture.</param>
    public static DreamBoothBatches Prepare(
        DreamBoothDataset dataset, StableDiffusion3Pipeline pipeline, DreamBoothConfig config, ulong seed,
        Action<int, int>? onEncoded = null, KeptEncodings? kept = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(config);
        using var noGradients = no_grad();
        var (encoder, options) = (pipeline.Prompts, pipeline.Options);
        var length = Math.Min(config.MaxSequenceLength, encoder.Tokenizer3?.ModelMaxLength ?? int.MaxValue);
        var preserved = config.PreservedPrompts;
        var texts = dataset.DistinctPrompts.Concat(preserved).Distinct(StringComparer.Ordinal).ToList();
        var prompts = Encode(texts, encoder, config, length, kept);
        LossMasks? masks = null;
        try
        {
            masks = LossMasks.Of(dataset, config, pipeline.Vae.Config.SpatialFactor, options.Device);
            using var vae = pipeline.HoldVae();
            LatentMoments Encode(Tensor pixels) =>
                Checked(Moments(pipeline.Vae, pixels.to(options.VaeDtype, options.Device)), pipeline.Vae);
            LatentMoments EncodeInStep(Tensor pixels) => Moments(pipeline.Vae, pixels.to(options.VaeDtype, options.Device));
            var latents = dataset.DistinctViews.Count == 0
                ? null : LatentCache.Build(dataset, Encode, 1, onEncoded, kept is null ? null : kept.Picture, cancellation);
            var sampler = dataset.Sampler(dataset.Count, config.TrainBatchSize, seed);
            return new DreamBoothBatches(
                dataset, sampler, pipeline.Vae, latents, prompts, config.TrainTextEncoder ? encoder : null, masks, preserved, seed)
            {
                Encoder = config.AugmentEachEpoch ? EncodeInStep : null,
                HeldVae = config.AugmentEachEpoch ? pipeline.HoldVae() : null,
            };
        }
        catch
        {
            masks?.Dispose();
            prompts.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public TrainingBatch Load(int epoch, int index)
    {
        if (_order?.Epoch != epoch)
            _order = (epoch, _sampler.Epoch(epoch));
        var rows = _dataset.Rows(_order.Value.Items[index], epoch);
        using var scope = NewDisposeScope();
        var latents = Latents(rows, ((long)epoch * BatchesPerEpoch) + index).MoveToOuterDisposeScope();
        return new TrainingBatch(latents, Text([.. rows.Select(row => row.Prompt)]).MoveToOuterDisposeScope())
        {
            Weights = Weights(rows, latents.device)?.MoveToOuterDisposeScope(),
            Preserved = Preserved(rows.Count(row => !row.IsClass))?.MoveToOuterDisposeScope(),
            Mask = _masks?.Of(rows).MoveToOuterDisposeScope(),
            Outside = _masks?.Outside(rows)?.MoveToOuterDisposeScope(),
        };
    }

    /// <summary>Views of which a mask leaves nearly nothing, by the names of their files.</summary>
    public IReadOnlyList<string> NearlyEmptyMasks => _masks?.NearlyEmpty ?? [];

    /// <summary>Instance pictures at the mean of their distributions, for a loss that is comparable over the training.</summary>
    /// <param name="most">The most pictures, 1 or more.</param>
    /// <returns>
    /// The first pictures, of several subjects pictures of all, a batch for each size; the tensors belong to the current dispose scope.
    /// </returns>
    public IReadOnlyList<TrainingBatch> LoadInstances(int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        using var noGradients = no_grad();
        var all = _dataset.InstanceCount;
        most = Math.Min(most, all);
        var items = Enumerable.Range(0, most).Select(index => _dataset.Subjects.Count == 1 ? index : (int)((long)index * all / most));
        // With their captions: figures of trainings that leave some out can be compared.
        var rows = _dataset.Rows([.. items], 0, withCaptions: true).Where(row => !row.IsClass);
        return [.. rows.GroupBy(row => (row.View.Crop.Width, row.View.Crop.Height)).Select(size => AtMeans([.. size]))];
    }

    /// <summary>Frees the caches.</summary>
    public void Dispose()
    {
        _latents?.Dispose();
        _masks?.Dispose();
        HeldVae?.Dispose();
        _prompts.Dispose();
        _held?.Dispose();
    }

    // One pass over T5 for the run's prompts, those that are not kept, and those of its validation pictures.
    private static PromptCache Encode(
        IReadOnlyList<string> distinct, PromptEncoder encoder, DreamBoothConfig config, int length, KeptEncodings? kept)
    {
        var found = new Dictionary<string, CachedEmbeddings>(StringComparer.Ordinal);
        foreach (var text in distinct)
        {
            if (kept?.Text(text, length, config.TrainTextEncoder) is { } known)
                found.Add(text, known);
        }

        string[] validation = config.ValidationPrompt is not { } prompt || config.NumValidationImages == 0 ? [] : [prompt, string.Empty];
        var missing = distinct.Where(text => !found.ContainsKey(text)).ToList();
        encoder.WarnOfCuts([.. found.Keys], length);
        encoder.Prepare(
            missing.Select(text => (Text: text, Length: (int?)length)).Concat(validation.Select(text => (Text: text, Length: (int?)null)))
            .Select(text => ((IReadOnlyList<string>)[text.Text], text.Length)));
        using var held = config.TrainTextEncoder || missing.Count == 0 ? null : encoder.Hold();
        return PromptCache.Build(distinct, text =>
        {
            if (found.TryGetValue(text, out var known))
                return known;
            var embeddings = Encode(text, encoder, config, length);
            kept?.KeepText(text, length, config.TrainTextEncoder, embeddings);
            return embeddings;
        });
    }

    private static CachedEmbeddings Encode(string text, PromptEncoder encoder, DreamBoothConfig config, int length)
    {
        if (config.TrainTextEncoder)
            return Checked(new CachedEmbeddings(encoder.EncodeT5([text], length), null), encoder);
        var encoded = encoder.Encode([text], length);
        return Checked(new CachedEmbeddings(encoded.PromptEmbeds, encoded.PooledPromptEmbeds), encoder);
    }

    // The first use of the autoencoder shows whether its weights are finite.
    private static LatentMoments Checked(LatentMoments moments, AutoencoderKL vae)
    {
        using var trace = new FiniteTrace();
        trace.Add("The latents of a picture", moments.Mean, ("vae", vae));
        trace.Add("The latents' deviations of a picture", moments.Std, ("vae", vae));
        trace.Require(static () => "its autoencoder computes beyond its element type");
        return moments;
    }

    private static CachedEmbeddings Checked(CachedEmbeddings text, PromptEncoder encoder)
    {
        using var trace = new FiniteTrace();
        trace.AddText("The embeddings of a prompt", text.PromptEmbeds, text.PooledPromptEmbeds, encoder);
        trace.Require(static () => "its text encoders compute beyond their element type");
        return text;
    }

    private static LatentMoments Moments(AutoencoderKL vae, Tensor pixels)
    {
        using var scope = NewDisposeScope();
        using var distribution = vae.Encode(pixels);
        var deviation = distribution.LogVariance.mul(KeptScalar.Of(0.5)).exp().to(ScalarType.Float32);
        return new LatentMoments(
            distribution.Mean.to(ScalarType.Float32).clone().MoveToOuterDisposeScope(), deviation.MoveToOuterDisposeScope());
    }

    // Class pictures are cached. Each picture is encoded by itself, so that its moments do not depend on the batch.
    private LatentMoments Moments(IReadOnlyList<DreamBoothRow> rows)
    {
        if (Encoder is null)
            return _latents!.Moments(rows);
        using var scope = NewDisposeScope();
        LatentMoments[] parts = [.. rows.Select(row => row.IsClass ? _latents!.Moments([row]) : EncodeNow(row.View))];
        return new(
            cat([.. parts.Select(part => part.Mean)]).MoveToOuterDisposeScope(),
            cat([.. parts.Select(part => part.Std)]).MoveToOuterDisposeScope());
    }

    private LatentMoments EncodeNow(PictureView view)
    {
        using var pixels = PixelTensors.Stack([_dataset.LoadPicture(view)]);
        return Encoder!(pixels);
    }

    // All batches of a run have them or none.
    private Tensor? Weights(IReadOnlyList<DreamBoothRow> rows, Device device) => !_dataset.HasWeights ? null
        : tensor(rows.Where(row => !row.IsClass).Select(row => (float)row.LossWeight).ToArray()).to(device);

    private Tensor Latents(IReadOnlyList<DreamBoothRow> rows, long microBatch)
    {
        using var noGradients = no_grad();
        var moments = Moments(rows);
        var noise = SeededNoise.Normal(moments.Mean.shape, RunSeeds.Latents(_seed, microBatch), moments.Mean.device);
        return _vae.ScaleLatents(moments.Sample(noise));
    }

    private TrainingText? Preserved(int rows) =>
        _preserved.Count == 0 ? null : Text([.. _preserved.SelectMany(prompt => Enumerable.Repeat(prompt, rows))]);

    private TrainingBatch AtMeans(IReadOnlyList<DreamBoothRow> rows)
    {
        using var scope = NewDisposeScope();
        var latents = _vae.ScaleLatents(Moments(rows).Mean);
        return new TrainingBatch(latents.MoveToOuterDisposeScope(), Text([.. rows.Select(row => row.Prompt)]).MoveToOuterDisposeScope())
        {
            Mask = _masks?.Of(rows).MoveToOuterDisposeScope(),
        };
    }

    private TrainingText Text(string[] prompts)
    {
        if (_trained is not null)
            return TrainedText(_trained, prompts);
        var cached = _prompts.Embeddings(prompts);
        return new PromptEmbeddings(cached.PromptEmbeds, cached.PooledPromptEmbeds!);
    }

    // Rows of one prompt share its text: each distinct prompt goes through the encoders once, its gradient is its rows' sum. Which prompts
    // caption dropout leaves out must not change how many there are, since a captured pass has fixed shapes.
    private TrainingText TrainedText(PromptEncoder encoder, string[] prompts)
    {
        string[] distinct = [.. prompts.Distinct(StringComparer.Ordinal)];
        var drops = _dataset.Options.CaptionDropout > 0;
        if (drops)
            distinct = [.. distinct, .. Enumerable.Repeat(string.Empty, Math.Min(prompts.Length, _prompts.Count) - distinct.Length)];
        var once = TrainingText.Of(encoder, distinct, _prompts.Embeddings(distinct).PromptEmbeds);
        if (distinct.Length == prompts.Length && !drops)
            return once;
        var rows = tensor(prompts.Select(prompt => (long)Array.IndexOf(distinct, prompt)).ToArray()).to(encoder.Device);
        return new([.. once.Inputs, rows], inputs =>
        {
            var text = once.Encode(inputs);
            return new PromptEmbeddings(text.PromptEmbeds.index_select(0, inputs[^1]), text.PooledPromptEmbeds.index_select(0, inputs[^1]));
        });
    }
}
