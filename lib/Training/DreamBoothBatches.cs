using Dreambooth.Lab.Data;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Micro-batches of a folder of pictures. Every picture is encoded once, before training; latents are drawn from its moments each time.
/// Prompts are encoded once too, except by CLIP encoders that are trained.
/// </summary>
internal sealed class DreamBoothBatches : ITrainingBatches, IDisposable
{
    private readonly DreamBoothDataset _dataset;
    private readonly BatchSampler _sampler;
    private readonly AutoencoderKL _vae;
    private readonly LatentCache _latents;
    private readonly PromptCache _prompts;
    private readonly PromptEncoder? _trained;
    private readonly IDisposable? _held;
    private readonly ulong _seed;
    private (int Epoch, IReadOnlyList<int[]> Items)? _order;

    private DreamBoothBatches(
        DreamBoothDataset dataset, BatchSampler sampler, AutoencoderKL vae, LatentCache latents, PromptCache prompts,
        PromptEncoder? trained, ulong seed)
    {
        (_dataset, _sampler, _vae, _latents, _prompts, _trained, _seed) = (dataset, sampler, vae, latents, prompts, trained, seed);
        _held = trained?.Hold();
    }

    /// <inheritdoc/>
    public int BatchesPerEpoch => _sampler.BatchesPerEpoch;

    /// <summary>Encodes the pictures and prompts of a dataset.</summary>
    /// <param name="dataset">The pictures.</param>
    /// <param name="pipeline">The models.</param>
    /// <param name="config">Batch size, text window, which encoders are trained.</param>
    /// <param name="seed">Seed of the order and of the latents' draws.</param>
    /// <param name="onEncoded">Told how many of N pictures are encoded.</param>
    /// <param name="cancellation">Checked before each picture.</param>
    public static DreamBoothBatches Prepare(
        DreamBoothDataset dataset, StableDiffusion3Pipeline pipeline, DreamBoothConfig config, ulong seed,
        Action<int, int>? onEncoded = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(config);
        using var noGradients = no_grad();
        var (encoder, options) = (pipeline.Prompts, pipeline.Options);
        var length = Math.Min(config.MaxSequenceLength, encoder.Tokenizer3?.ModelMaxLength ?? int.MaxValue);
        var prompts = Encode(dataset.DistinctPrompts, encoder, config, length);
        try
        {
            using var vae = pipeline.HoldVae();
            LatentMoments Encode(Tensor pixels) =>
                Checked(Moments(pipeline.Vae, pixels.to(options.VaeDtype, options.Device)), pipeline.Vae);
            var latents = LatentCache.Build(dataset, Encode, 1, onEncoded, cancellation);
            var sampler = new BatchSampler(dataset.Count, config.TrainBatchSize, seed);
            return new DreamBoothBatches(dataset, sampler, pipeline.Vae, latents, prompts, config.TrainTextEncoder ? encoder : null, seed);
        }
        catch
        {
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
        return new TrainingBatch(latents, Text([.. rows.Select(row => row.Prompt)]).MoveToOuterDisposeScope());
    }

    /// <summary>Instance pictures at the mean of their distributions, for a loss that is comparable over the training.</summary>
    /// <param name="most">The most pictures, 1 or more.</param>
    /// <returns>The first pictures; its tensors belong to the current dispose scope.</returns>
    public TrainingBatch LoadInstances(int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var rows = _dataset.Rows([.. Enumerable.Range(0, Math.Min(most, _dataset.InstanceCount))], 0).Where(row => !row.IsClass).ToList();
        var latents = _vae.ScaleLatents(_latents.Moments(rows).Mean);
        return new TrainingBatch(latents.MoveToOuterDisposeScope(), Text([.. rows.Select(row => row.Prompt)]).MoveToOuterDisposeScope());
    }

    /// <summary>Frees the caches.</summary>
    public void Dispose()
    {
        _latents.Dispose();
        _prompts.Dispose();
        _held?.Dispose();
    }

    // One pass over T5 for the run's prompts and those of its validation pictures.
    private static PromptCache Encode(IReadOnlyList<string> distinct, PromptEncoder encoder, DreamBoothConfig config, int length)
    {
        string[] validation = config.ValidationPrompt is not { } prompt || config.NumValidationImages == 0 ? [] : [prompt, string.Empty];
        encoder.Prepare(
            distinct.Select(text => (Text: text, Length: (int?)length)).Concat(validation.Select(text => (Text: text, Length: (int?)null)))
            .Select(text => ((IReadOnlyList<string>)[text.Text], text.Length)));
        using var held = config.TrainTextEncoder ? null : encoder.Hold();
        return PromptCache.Build(distinct, text =>
        {
            if (config.TrainTextEncoder)
                return Checked(new CachedEmbeddings(encoder.EncodeT5([text], length), null), encoder);
            var encoded = encoder.Encode([text], length);
            return Checked(new CachedEmbeddings(encoded.PromptEmbeds, encoded.PooledPromptEmbeds), encoder);
        });
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

    private Tensor Latents(IReadOnlyList<DreamBoothRow> rows, long microBatch)
    {
        using var noGradients = no_grad();
        var moments = _latents.Moments(rows);
        var noise = SeededNoise.Normal(moments.Mean.shape, RunSeeds.Latents(_seed, microBatch), moments.Mean.device);
        return _vae.ScaleLatents(moments.Sample(noise));
    }

    private TrainingText Text(string[] prompts)
    {
        if (_trained is not null)
            return TrainedText(_trained, prompts);
        var cached = _prompts.Embeddings(prompts);
        return new PromptEmbeddings(cached.PromptEmbeds, cached.PooledPromptEmbeds!);
    }

    // Rows of one prompt share its text: each distinct prompt goes through the encoders once, its gradient is its rows' sum.
    private TrainingText TrainedText(PromptEncoder encoder, string[] prompts)
    {
        string[] distinct = [.. prompts.Distinct(StringComparer.Ordinal)];
        var once = TrainingText.Of(encoder, distinct, _prompts.Embeddings(distinct).PromptEmbeds);
        if (distinct.Length == prompts.Length)
            return once;
        var rows = tensor(prompts.Select(prompt => (long)Array.IndexOf(distinct, prompt)).ToArray()).to(encoder.Device);
        return new([.. once.Inputs, rows], inputs =>
        {
            var text = once.Encode(inputs);
            return new PromptEmbeddings(text.PromptEmbeds.index_select(0, inputs[^1]), text.PooledPromptEmbeds.index_select(0, inputs[^1]));
        });
    }
}
