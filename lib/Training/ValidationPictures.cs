using System.Globalization;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Training;

/// <summary>Pictures of the validation prompt during a training, always from the same noise.</summary>
internal sealed class ValidationPictures(DreamBoothConfig config, StableDiffusion3Pipeline pipeline, ulong seed)
{
    /// <summary>Whether pictures are generated after a step.</summary>
    public bool IsDue(int step, int epoch, DreamBoothTrainer trainer)
    {
        if (config.ValidationPrompt is null || config.NumValidationImages == 0)
            return false;
        var due = config.ValidationSteps is { } every
            ? step % every == 0
            : step % trainer.StepsPerEpoch == 0 && epoch % config.ValidationEpochs == 0;
        return due || step == trainer.MaxSteps;
    }

    /// <summary>Generates and saves the pictures of a step, lazily.</summary>
    /// <param name="step">The step.</param>
    /// <param name="warn">Told of pictures that are left out because their numbers are not finite; or null.</param>
    /// <param name="withRoom">Makes a batch where memory allows it beside the recorded step, else without that.</param>
    /// <param name="cancellation">Ends it; the trainer then ends the run at its next step and keeps what is done.</param>
    public IEnumerable<RgbImage> Make(
        int step, Action<string>? warn, Func<Func<List<RgbImage>>, List<RgbImage>> withRoom, CancellationToken cancellation)
    {
        var faults = new List<string>();
        foreach (var batch in Enumerable.Range(0, config.NumValidationImages).Chunk(Math.Min(config.SampleBatchSize, pipeline.MostAtATime)))
        {
            var before = faults.Count;
            var images = withRoom(() =>
            {
                faults.RemoveRange(before, faults.Count - before);
                return Make(step, batch, faults, cancellation);
            });
            foreach (var image in images)
                yield return image;
            if (cancellation.IsCancellationRequested)
                break;
        }

        if (faults.Count > 0)
        {
            warn?.Invoke(
                $"{faults.Count} of {config.NumValidationImages} validation pictures of step {step} are left out; the training continues. "
                + faults[0]);
        }
    }

    // A batch in which a picture fails is generated again one by one, so that the others succeed.
    private List<RgbImage> Make(int step, int[] batch, List<string> faults, CancellationToken cancellation)
    {
        var images = new List<RgbImage>();
        try
        {
            foreach (var image in Generate(batch, cancellation))
            {
                var index = batch[images.Count];
                ImageNote.Save(ValidationPicture.PathOf(config.OutputDir, step, index), image, NoteOf(step, index));
                images.Add(image);
            }
        }
        catch (OperationCanceledException)
        {
            return images;
        }
        catch (NonFiniteException) when (batch.Length > 1)
        {
            foreach (var index in batch.Skip(images.Count).ToArray())
                images.AddRange(Make(step, [index], faults, cancellation));
        }
        catch (NonFiniteException error)
        {
            // A picture of an earlier start could be mistaken for it.
            if (ValidationPicture.PathOf(config.OutputDir, step, batch[0]) is var stale && File.Exists(stale))
                File.Delete(stale);
            faults.Add(error.Message);
        }

        return images;
    }

    // What evaluate reads in a picture: its prompt, its noise and its LoRA. Step 0 is the model without one.
    private string NoteOf(int step, int index) => new JsonObject
    {
        ["prompt"] = config.ValidationPrompt,
        ["seed"] = config.Seed,
        ["index"] = index,
        ["lora"] = step == 0 ? [] : new JsonArray(string.Create(CultureInfo.InvariantCulture, $"{RunName} at step {step}")),
        ["lora_scale"] = step == 0 ? [] : new JsonArray(1.0),
    }.ToJsonString();

    private string RunName => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(config.OutputDir)));

    // Every picture has its own noise, so that it does not depend on how many are made at a time.
    private IEnumerable<RgbImage> Generate(int[] batch, CancellationToken cancellation)
    {
        var size = (config.ValidationResolution ?? pipeline.DefaultSize) / pipeline.Vae.Config.SpatialFactor;
        using var noise = SeededNoise.NormalEach(
            [pipeline.Transformer.Config.InChannels, size, size], batch.Select(i => RunSeeds.ValidationPicture(seed, i)));
        var images = pipeline.GenerateEach(
            new GenerationRequest
            {
                Prompts = [config.ValidationPrompt!],
                Height = config.ValidationResolution,
                Width = config.ValidationResolution,
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
