using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>Pictures of the validation prompt during a training, always from the same noise.</summary>
/// <param name="config">The training.</param>
/// <param name="pipeline">The models.</param>
/// <param name="adapter">The LoRA that they carry.</param>
/// <param name="seed">The run's.</param>
internal sealed class ValidationPictures(DreamBoothConfig config, StableDiffusion3Pipeline pipeline, LoraAdapter adapter, ulong seed)
{
    /// <summary>The prompt, where it is another than the validation prompt.</summary>
    public string? Prompt { get; init; }

    /// <summary>How many pictures, at most as many as the training's own.</summary>
    public int Count { get; init; } = config.NumValidationImages;

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

    /// <summary>Where a picture lies.</summary>
    public string PathOf(int step, int index) => Prompt is null
        ? ValidationPicture.PathOf(config.OutputDir, step, index)
        : ValidationPicture.PathOf(config.OutputDir, step, index, ValidationPicture.WithoutPrefix);

    /// <summary>Generates and saves the pictures of a step, lazily.</summary>
    /// <param name="step">The step.</param>
    /// <param name="warn">Told of pictures that are left out because their numbers are not finite; or null.</param>
    /// <param name="withRoom">Makes a batch where memory allows it beside the recorded step, else without that.</param>
    /// <param name="cancellation">Ends it; the trainer then ends the run at its next step and keeps what is done.</param>
    /// <returns>Each with its index; those that are left out are missing.</returns>
    public IEnumerable<(int Index, RgbImage Image)> Make(
        int step, Action<string>? warn, Func<Func<List<(int, RgbImage)>>, List<(int, RgbImage)>> withRoom,
        CancellationToken cancellation)
    {
        var faults = new List<string>();
        var own = step == 0 ? null : LoraOf(step);
        foreach (var batch in Enumerable.Range(0, Count).Chunk(Math.Min(config.SampleBatchSize, pipeline.MostAtATime)))
        {
            var before = faults.Count;
            var images = withRoom(() =>
            {
                faults.RemoveRange(before, faults.Count - before);
                return Make(step, batch, own, faults, cancellation);
            });
            foreach (var image in images)
                yield return image;
            if (cancellation.IsCancellationRequested)
                break;
        }

        if (faults.Count > 0)
        {
            warn?.Invoke(
                $"{faults.Count} of {Count} validation pictures of step {step} are left out; the training continues. "
                + faults[0]);
        }
    }

    // A batch in which a picture fails is generated again one by one, so that the others succeed.
    private List<(int Index, RgbImage Image)> Make(
        int step, int[] batch, UsedLora? own, List<string> faults, CancellationToken cancellation)
    {
        var images = new List<(int Index, RgbImage Image)>();
        try
        {
            foreach (var image in Generate(batch, cancellation))
            {
                var index = batch[images.Count];
                RecordOf(batch, images.Count, own).Save(PathOf(step, index), image, !config.NoMetadata);
                images.Add((index, image));
            }
        }
        catch (OperationCanceledException)
        {
            return images;
        }
        catch (NonFiniteException) when (batch.Length > 1)
        {
            foreach (var index in batch.Skip(images.Count).ToArray())
                images.AddRange(Make(step, [index], own, faults, cancellation));
        }
        catch (NonFiniteException error)
        {
            // A picture of an earlier start could be mistaken for it.
            if (PathOf(step, batch[0]) is var stale && File.Exists(stale))
                File.Delete(stale);
            faults.Add(error.Message);
        }

        return images;
    }

    // Step 0 is the model without a LoRA of its own; later its file may never be written, and its hash is that of what would be.
    private PictureRecord RecordOf(int[] batch, int row, UsedLora? own)
    {
        (UsedLora, double)[] loras = [.. pipeline.LoraOrigins, .. own is null ? [] : new[] { (own, 1.0) }];
        return PictureRecord.Of(Request(batch.Length, null), pipeline.Origin, pipeline.Options, loras) with
        {
            Seed = (ulong)config.Seed!,
            Index = batch[row],
            NoiseSeed = RunSeeds.ValidationPicture(seed, batch[row]),
            NoiseIndex = 0,
            BatchSize = batch.Length,
            BatchRow = row,
        };
    }

    private UsedLora LoraOf(int step)
    {
        var (sha256, bytes) = LoraFile.Measure(adapter);
        return new UsedLora(string.Create(CultureInfo.InvariantCulture, $"{RunName} at step {step}"), sha256, bytes);
    }

    private string RunName => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(config.OutputDir)));

    // Every picture has its own noise, so that it does not depend on how many are made at a time.
    private IEnumerable<RgbImage> Generate(int[] batch, CancellationToken cancellation)
    {
        var size = (config.ValidationResolution ?? pipeline.DefaultSize) / pipeline.Vae.Config.SpatialFactor;
        using var noise = SeededNoise.NormalEach(
            [pipeline.Transformer.Config.InChannels, size, size], batch.Select(i => RunSeeds.ValidationPicture(seed, i)));
        foreach (var image in pipeline.GenerateEach(Request(batch.Length, noise), cancellation: cancellation))
            yield return image;
    }

    private GenerationRequest Request(int count, Tensor? noise) => new()
    {
        Prompts = [Prompt ?? config.ValidationPrompt!],
        Height = config.ValidationResolution,
        Width = config.ValidationResolution,
        NumImagesPerPrompt = count,
        NumInferenceSteps = config.ValidationInferenceSteps,
        GuidanceScale = config.ValidationGuidanceScale,
        Latents = noise,
    };
}
