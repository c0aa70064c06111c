using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <content>From noise to latents.</content>
public sealed partial class StableDiffusion3Pipeline
{
    /// <summary>Generates latents.</summary>
    /// <param name="request">What.</param>
    /// <param name="onStep">Called after each prediction of the model; Heun's method has two a step.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <returns>Latents as the transformer sees them, float32, <c>[B, C, h, w]</c>.</returns>
    /// <exception cref="NonFiniteException">Text or latents are not finite; the message names the step and the likely cause.</exception>
    public Tensor Denoise(GenerationRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        ArgumentNullException.ThrowIfNull(request);
        request.Validate();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var start = StartOf(request);
        var latents = start is null || request.Latents is not null ? InitialLatents(request) : start.Noise;
        var (positive, negative) = EncodePrompts(request);
        return Denoise(request, latents, positive, negative, onStep, cancellation, start).MoveToOuterDisposeScope();
    }

    /// <summary>The same with encoded prompts, in the caller's dispose scope.</summary>
    /// <param name="request">How; its prompts and first latents are not looked at.</param>
    /// <param name="latents">What it begins from, float32, <c>[B, C, h, w]</c>; freed on the way, but not a picture's noise.</param>
    /// <param name="positive">B rows.</param>
    /// <param name="negative">B rows, or null without guidance.</param>
    /// <param name="onStep">Called after each prediction.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <param name="start">The picture that it begins from, or null.</param>
    internal Tensor Denoise(
        GenerationRequest request, Tensor latents, PromptEmbeddings positive, PromptEmbeddings? negative, Action<DenoisingStep>? onStep,
        CancellationToken cancellation, ImageStart? start = null)
    {
        using var sampler = request.Sampler.Create(SchedulerConfig, request.NumInferenceSteps, Patches(latents));
        var (calls, first) = (sampler.Timesteps.Count, request.FirstCall);
        if (start is not null && request.Latents is null)
            latents = start.At(sampler.Sigmas[first]);
        using var trace = new FiniteTrace();
        trace.Add("The latents to begin with", latents);
        foreach (var text in new[] { positive, negative }.OfType<PromptEmbeddings>())
            trace.AddText("The text's embeddings", text.PromptEmbeds, text.PooledPromptEmbeds, Prompts);

        using var denoiser = new GuidedDenoiser(
            Transformer, request, positive, negative, Transformer.IsObserved ? null : Recorder)
        { Refused = StopRecording };
        for (var i = first; i < calls; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var flow = denoiser.Predict(latents.to(Options.Dtype), sampler.Timesteps[i], i - first);
            var noise = sampler.DrawsNoise ? StepNoise(request, latents, i) : null;
            var next = sampler.Step(flow, i, latents, noise);
            next = (start?.Keep(next, sampler.Sigmas[i + 1]) ?? next).MoveToOuterDisposeScope();
            latents.Dispose();
            latents = next;
            trace.Add($"The latents after step {i + 1 - first} of {calls - first}", latents, ("transformer", Transformer));
            onStep?.Invoke(new DenoisingStep(i + 1 - first, calls - first, sampler.Timesteps[i], sampler.Sigmas[i + 1], latents));
        }

        trace.Require(() => FiniteTrace.Suspects(request, _adapters, Options.Dtype));
        return latents;
    }

    /// <summary>Patches of a picture in the transformer: rows × columns.</summary>
    internal long Patches(Tensor latents) =>
        latents.shape[2] / Transformer.Config.PatchSize * (latents.shape[3] / Transformer.Config.PatchSize);

    // Each picture's noise depends on its own seed and the step, so that neither a batch nor an interruption changes it.
    private static Tensor StepNoise(GenerationRequest request, Tensor latents, int call)
    {
        if (request.StepNoise is { } given)
            return given(call);
        using var scope = NewDisposeScope();
        var seeds = request.NoiseSeeds
            ?? [.. Enumerable.Range(0, (int)latents.shape[0]).Select(i => GenerationRequest.NoiseSeed(request.Seed, i))];
        return SeededNoise.NormalEach(latents.shape[1..], seeds.Select(seed => SplitMix64.At(seed, (ulong)call)))
            .to(ScalarType.Float32, latents.device).MoveToOuterDisposeScope();
    }
}
