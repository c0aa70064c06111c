using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Training;

/// <summary>Pictures of the validation prompt during a training, always from the same noise.</summary>
internal sealed class ValidationPictures(DreamBoothConfig config, StableDiffusion3Pipeline pipeline, ulong seed)
{
    /// <summary>Whether a step is followed by pictures.</summary>
    public bool IsDue(int step, int epoch, DreamBoothTrainer trainer)
    {
        if (config.ValidationPrompt is null || config.NumValidationImages == 0)
            return false;
        var due = config.ValidationSteps is { } every
            ? step % every == 0
            : step % trainer.StepsPerEpoch == 0 && epoch % config.ValidationEpochs == 0;
        return due || step == trainer.MaxSteps;
    }

    /// <summary>Makes and saves the pictures of a step.</summary>
    /// <returns>Those that were made before it was cancelled.</returns>
    public IReadOnlyList<RgbImage> Make(int step, CancellationToken cancellation)
    {
        var images = new List<RgbImage>();
        try
        {
            foreach (var batch in Enumerable.Range(0, config.NumValidationImages).Chunk(Math.Min(config.SampleBatchSize, pipeline.MostAtATime)))
            {
                foreach (var (i, image) in Generate(batch, cancellation).Index())
                {
                    ImageEncoder.Save(ValidationPicture.PathOf(config.OutputDir, step, batch[i]), image);
                    images.Add(image);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The trainer ends the run at its next step and keeps what is done.
        }

        return images;
    }

    // Every picture has its own noise, so that it does not depend on how many are made at a time.
    private IEnumerable<RgbImage> Generate(int[] batch, CancellationToken cancellation)
    {
        var size = pipeline.DefaultSize / pipeline.Vae.Config.SpatialFactor;
        using var noise = SeededNoise.NormalEach(
            [pipeline.Transformer.Config.InChannels, size, size], batch.Select(i => RunSeeds.ValidationPicture(seed, i)));
        var images = pipeline.GenerateEach(
            new GenerationRequest
            {
                Prompts = [config.ValidationPrompt!],
                NumImagesPerPrompt = batch.Length,
                NumInferenceSteps = config.ValidationInferenceSteps,
                GuidanceScale = config.ValidationGuidanceScale,
                Latents = noise,
            },
            cancellation: cancellation);
        foreach (var image in images)
            yield return image;
    }
}
