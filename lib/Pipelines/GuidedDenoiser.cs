using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// The transformer's prediction with classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598) refined by
/// <see cref="GuidanceConfig"/> and skip-layer guidance. Letters: B pictures, C latent channels, h and w of the latents.
/// </summary>
internal sealed class GuidedDenoiser : IDisposable
{
    /// <summary>
    /// Number of steps from which a graph pays off, where the device waits for the processor: the capture takes about four forwards.
    /// </summary>
    public const int FewestRecordedSteps = 14;

    /// <summary>
    /// Predictions by plain calls before one is captured: the first one compiles kernels; the last one shows whether the device waits for
    /// the processor, and the graph is compared with it.
    /// </summary>
    public const int PlainPredictions = 3;

    private readonly SD3Transformer2DModel _transformer;
    private readonly GenerationRequest _request;
    private readonly PromptEmbeddings _positive;
    private readonly PromptEmbeddings _text;
    private readonly RecordedWork _forward;
    private readonly ResidualCache? _cache;
    private readonly IReadOnlyList<int> _perturbed;
    private readonly int _calls;

    /// <summary>Prepares the text of every step.</summary>
    /// <param name="transformer">The model.</param>
    /// <param name="request">Guidance and steps.</param>
    /// <param name="positive">B rows.</param>
    /// <param name="negative">B rows, or null without guidance.</param>
    /// <param name="record">Captures some work on a device after running it a few times; null for plain calls.</param>
    public GuidedDenoiser(
        SD3Transformer2DModel transformer, GenerationRequest request, PromptEmbeddings positive, PromptEmbeddings? negative,
        Func<Device, Action, IReplayable>? record = null)
    {
        (_transformer, _request, _positive) = (transformer, request, positive);
        _calls = request.CallsRun;
        _forward = new RecordedWork(positive.PromptEmbeds.device, _calls < FewestRecordedSteps ? null : record)
        {
            Name = "prediction",
            PlainCalls = PlainPredictions - 1,
            OnlyWhereLaunchBound = true,
            Vary = static inputs => [inputs[0].neg(), zeros_like(inputs[1])],
        };
        if (request.CacheInterval > 1)
            _cache = new ResidualCache(transformer, request.CacheInterval, request.CacheOrder, _calls);
        _text = negative is null ? positive : PromptEmbeddings.Concat([negative, positive]);
        _perturbed = Guidance.PerturbedLayers is { } perturbed ? NumberList.Parse(perturbed)! : [];
        RequireBlocks("skip_guidance_layers", request.SkipGuidanceLayers ?? []);
        RequireBlocks("perturbed_layers", _perturbed);
    }

    private void RequireBlocks(string name, IReadOnlyList<int> layers)
    {
        var count = _transformer.Config.NumLayers;
        if (layers.Any(layer => layer < 0 || layer >= count))
            throw new LabException($"{name} is {string.Join(", ", layers)}; this transformer's blocks are 0 to {count - 1}.");
    }

    /// <summary>Receives a sentence when capturing fails.</summary>
    public Action<string>? Refused
    {
        get => _forward.Warn;
        init => _forward.Warn = value;
    }

    /// <summary>Predicts the flow at one step.</summary>
    /// <param name="latents">Noisy latents, <c>[B, C, h, w]</c>.</param>
    /// <param name="timestep">sigma × 1000.</param>
    /// <param name="step">Index of the prediction, from 0.</param>
    /// <returns>float32, <c>[B, C, h, w]</c>; valid until the next prediction.</returns>
    public Tensor Predict(Tensor latents, double timestep, int step)
    {
        using var scope = NewDisposeScope();
        if (_request.UsesGuidance && Guidance.ZeroStar && step < Guidance.ZeroSteps)
            return zeros_like(latents, ScalarType.Float32).MoveToOuterDisposeScope();
        if (_request.UsesGuidance && !Guidance.GuidesAt(step, _calls))
            return Forward(latents, Time(latents, timestep), _positive).MoveToOuterDisposeScope();
        var input = _request.UsesGuidance ? cat([latents, latents], dim: 0) : latents;
        var prediction = _cache is null
            ? _forward.Run([input, Time(input, timestep)], inputs => [Forward(inputs[0], inputs[1], _text)])[0]
            : _cache.Predict(
                input, Time(input, timestep), timestep, step, inputs => _forward.Run(inputs, WithResidual), _text.PooledPromptEmbeds)
                .to(ScalarType.Float32);
        if (!_request.UsesGuidance)
            return Away(prediction, prediction, latents, timestep).MoveToOuterDisposeScope();
        var halves = prediction.chunk(2, dim: 0);
        var (unconditional, conditional) = (halves[0], halves[1]);
        if (Guidance.ZeroStar)
            unconditional = unconditional.mul(BestScale(conditional, unconditional));
        var guided = unconditional.add((conditional - unconditional).mul(KeptScalar.Of(_request.GuidanceScale)), KeptScalar.One);
        if (_request.SkipGuidanceLayers is { Count: > 0 } skipped && _request.SkipsLayersAt(step, _calls))
        {
            var weaker = Forward(latents, Time(latents, timestep), _positive, skipped);
            guided = guided.add((conditional - weaker).mul(KeptScalar.Of(_request.SkipLayerGuidanceScale)), KeptScalar.One);
        }

        guided = Away(guided, conditional, latents, timestep);
        if (Guidance.Rescale > 0)
            guided = Rescaled(guided, conditional);
        return guided.MoveToOuterDisposeScope();
    }

    /// <summary>Frees the graph.</summary>
    public void Dispose()
    {
        _cache?.Dispose();
        _forward.Dispose();
    }

    private GuidanceConfig Guidance => _request.Guidance;

    // Perturbed-attention guidance.
    private Tensor Away(Tensor guided, Tensor conditional, Tensor latents, double timestep)
    {
        if (_perturbed.Count == 0)
            return guided;
        var attentions = _perturbed.Select(layer => _transformer.TransformerBlocks[layer].Attn).ToList();
        attentions.ForEach(attention => attention.IsPerturbed = true);
        try
        {
            var weaker = Forward(latents, Time(latents, timestep), _positive);
            return guided.add((conditional - weaker).mul(KeptScalar.Of(Guidance.PerturbedScale)), KeptScalar.One);
        }
        finally
        {
            attentions.ForEach(attention => attention.IsPerturbed = false);
        }
    }

    // The factor by which the one prediction comes nearest to the other, for each picture: their product over its square.
    private static Tensor BestScale(Tensor conditional, Tensor unconditional)
    {
        using var scope = NewDisposeScope();
        var product = conditional.mul(unconditional).flatten(1).sum(1);
        var square = unconditional.mul(unconditional).flatten(1).sum(1);
        return (product / square.add(KeptScalar.Of(1e-8), KeptScalar.One)).view(-1, 1, 1, 1).MoveToOuterDisposeScope();
    }

    private Tensor Rescaled(Tensor guided, Tensor conditional)
    {
        using var scope = NewDisposeScope();
        var ratio = (Deviation(conditional) / Deviation(guided)).view(-1, 1, 1, 1);
        var factor = ratio.mul(KeptScalar.Of(Guidance.Rescale)).add(KeptScalar.Of(1 - Guidance.Rescale), KeptScalar.One);
        return guided.mul(factor).MoveToOuterDisposeScope();

        static Tensor Deviation(Tensor prediction) => prediction.flatten(1).std([1]);
    }

    private static Tensor Time(Tensor latents, double timestep)
    {
        using var time = KeptScalar.Once(timestep);
        return full([latents.shape[0]], time, ScalarType.Float32, latents.device);
    }

    private Tensor[] WithResidual(Tensor[] inputs)
    {
        var (prediction, residual) = _transformer.ForwardWithResidual(
            inputs[0], inputs[1], _text.PromptEmbeds, _text.PooledPromptEmbeds);
        return [prediction, residual];
    }

    private Tensor Forward(Tensor latents, Tensor time, PromptEmbeddings text, IReadOnlyList<int>? skipLayers = null) =>
        _transformer.forward(latents, time, text.PromptEmbeds, text.PooledPromptEmbeds, skipLayers).to(ScalarType.Float32);
}
