using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// The transformer's prediction with classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598) and skip-layer
/// guidance. Letters: B pictures, C latent channels, h and w of the latents.
/// </summary>
internal sealed class GuidedDenoiser : IDisposable
{
    /// <summary>Steps from which on a recording pays, where the device waits for the processor: making it takes some four forwards.</summary>
    public const int FewestRecordedSteps = 14;

    /// <summary>
    /// Predictions by plain calls before one is recorded: kernels are compiled in the first one, the last one shows whether the device
    /// waits for the processor, and is what the recording is compared with.
    /// </summary>
    public const int PlainPredictions = 3;

    private readonly SD3Transformer2DModel _transformer;
    private readonly GenerationRequest _request;
    private readonly PromptEmbeddings _positive;
    private readonly PromptEmbeddings _text;
    private Func<Device, Action, IReplayable>? _record;
    private RecordedForward? _recorded;
    private PlainPrediction? _plain;
    private int _predictions;

    /// <summary>Prepares the text of every step.</summary>
    /// <param name="transformer">The model.</param>
    /// <param name="request">Guidance and steps.</param>
    /// <param name="positive">B rows.</param>
    /// <param name="negative">B rows, or null without guidance.</param>
    /// <param name="record">Records some work on a device after running it a few times; null for plain calls.</param>
    public GuidedDenoiser(
        SD3Transformer2DModel transformer, GenerationRequest request, PromptEmbeddings positive, PromptEmbeddings? negative, Func<Device, Action, IReplayable>? record = null)
    {
        (_transformer, _request, _positive) = (transformer, request, positive);
        _record = request.NumInferenceSteps < FewestRecordedSteps ? null : record;
        _text = negative is null ? positive : PromptEmbeddings.Concat([negative, positive]);
        var layers = transformer.Config.NumLayers;
        if (request.SkipGuidanceLayers?.Any(layer => layer < 0 || layer >= layers) == true)
            throw new LabException($"skip_guidance_layers is {string.Join(", ", request.SkipGuidanceLayers)}; this transformer's blocks are 0 to {layers - 1}.");
    }

    /// <summary>Receives a sentence when recording is refused.</summary>
    public Action<string>? Refused { get; init; }

    /// <summary>Predicts the flow at one step.</summary>
    /// <param name="latents">Noisy latents, <c>[B, C, h, w]</c>.</param>
    /// <param name="timestep">sigma × 1000.</param>
    /// <param name="step">Index of the step, from 0.</param>
    /// <returns>float32, <c>[B, C, h, w]</c>; valid until the next prediction.</returns>
    public Tensor Predict(Tensor latents, double timestep, int step)
    {
        using var scope = NewDisposeScope();
        var input = _request.UsesGuidance ? cat([latents, latents], dim: 0) : latents;
        var prediction = Recording() is { } recording ? recording.Run(input, timestep) : RunPlainly(input, timestep);
        if (!_request.UsesGuidance)
            return prediction.MoveToOuterDisposeScope();
        var halves = prediction.chunk(2, dim: 0);
        var (unconditional, conditional) = (halves[0], halves[1]);
        var guided = unconditional.add((conditional - unconditional).mul(KeptScalar.Of(_request.GuidanceScale)), KeptScalar.One);
        if (_request.SkipGuidanceLayers is { Count: > 0 } skipped && SkipsLayersAt(step))
        {
            var weaker = Forward(latents, timestep, _positive, skipped);
            guided += (conditional - weaker) * _request.SkipLayerGuidanceScale;
        }

        return guided.MoveToOuterDisposeScope();
    }

    /// <summary>Frees the recording.</summary>
    public void Dispose()
    {
        _recorded?.Dispose();
        _plain?.Dispose();
    }

    private bool SkipsLayersAt(int step) =>
        step > _request.NumInferenceSteps * _request.SkipLayerGuidanceStart && step < _request.NumInferenceSteps * _request.SkipLayerGuidanceStop;

    private RecordedForward? Recording()
    {
        if (_recorded is not null || _record is null || _plain is null)
            return _recorded;
        try
        {
            _recorded = new RecordedForward(_transformer, _text, _plain, _record);
        }
        catch (Exception error) when (CudaGraph.IsRefusal(error))
        {
            _record = null;
            Refused?.Invoke(CudaGraph.Warning(error));
        }

        _plain.Dispose();
        _plain = null;
        return _recorded;
    }

    private Tensor RunPlainly(Tensor latents, double timestep)
    {
        if (_record is null || ++_predictions < PlainPredictions)
            return Forward(latents, timestep, _text, null);
        Tensor? prediction = null;
        if (CudaGraph.IsLaunchBound(latents.device, () => prediction = Forward(latents, timestep, _text, null)))
            _plain = PlainPrediction.Copy(latents, timestep, prediction!);
        else
            _record = null;
        return prediction!;
    }

    private Tensor Forward(Tensor latents, double timestep, PromptEmbeddings text, IReadOnlyList<int>? skipLayers)
    {
        var time = full([latents.shape[0]], timestep, ScalarType.Float32, latents.device);
        return _transformer.forward(latents, time, text.PromptEmbeds, text.PooledPromptEmbeds, skipLayers).to(ScalarType.Float32);
    }
}
