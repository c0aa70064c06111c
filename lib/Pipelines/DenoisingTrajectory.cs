using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Schedulers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Records one picture's denoising. A step goes from x(σ) to x(σ') = x(σ) + (σ' − σ)·v, so that the predicted flow v can be read off two
/// neighbours, and x(σ) − σ·v is the picture that the model sees at σ. With guidance, v is the guided flow.
/// </summary>
public static class DenoisingTrajectory
{
    /// <summary>Generates a picture and decodes its intermediate steps.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="request">What; one prompt and one picture.</param>
    /// <param name="frames">Moments to decode, evenly spaced over the steps, from the noise to the finished picture; 2 or more.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <returns>The moments in order; at the last, picture and estimate are one.</returns>
    /// <exception cref="LabException">The request asks for several pictures, or is not valid for this model.</exception>
    public static IReadOnlyList<DenoisingMoment> Record(
        StableDiffusion3Pipeline pipeline, GenerationRequest request, int frames, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 2);
        if (request.Prompts.Count != 1 || request.NumImagesPerPrompt != 1)
            throw new LabException(
                $"A trajectory is that of one picture; {request.Prompts.Count} prompts with {request.NumImagesPerPrompt} pictures each "
                + "were asked for.");
        if (request.Sampler.Kind != SamplerKind.Euler)
            throw new LabException($"A trajectory is read off Euler steps; the sampler is {request.Sampler.Kind}.");
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var latents = Latents(pipeline, request, cancellation);
        using var sampler = request.Sampler.Create(
            pipeline.SchedulerConfig, request.NumInferenceSteps, pipeline.Patches(latents[0]));
        using var held = pipeline.HoldVae();
        return [.. Moments(request.NumInferenceSteps, frames).Select(step => Frame(pipeline, latents, sampler.Sigmas, step))];
    }

    private static List<Tensor> Latents(StableDiffusion3Pipeline pipeline, GenerationRequest request, CancellationToken cancellation)
    {
        var latents = new List<Tensor>();
        var noise = pipeline.InitialLatents(request);
        latents.Add(noise);
        pipeline.Denoise(
            request with { Latents = noise }, step => latents.Add(step.Latents.clone().MoveToOuterDisposeScope().MoveToOuterDisposeScope()),
            cancellation);
        return latents;
    }

    private static DenoisingMoment Frame(StableDiffusion3Pipeline pipeline, List<Tensor> latents, IReadOnlyList<float> sigmas, int step)
    {
        using var scope = NewDisposeScope();
        var noisy = latents[step];
        using var ahead = Tensors.KeptScalar.Once(step == latents.Count - 1 ? 0 : sigmas[step] / (sigmas[step] - sigmas[step + 1]));
        var estimate = step == latents.Count - 1 ? noisy : noisy.add((latents[step + 1] - noisy).mul(ahead), Tensors.KeptScalar.One);
        return new DenoisingMoment(step, sigmas[step], Decode(pipeline, noisy), Decode(pipeline, estimate));
    }

    private static RgbImage Decode(StableDiffusion3Pipeline pipeline, Tensor latents) => PixelTensors.Unstack(pipeline.Decode(latents))[0];

    private static IEnumerable<int> Moments(int steps, int frames) =>
        Enumerable.Range(0, frames).Select(i => (int)Math.Round((double)i * steps / (frames - 1))).Distinct();
}
