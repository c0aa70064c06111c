using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <summary>The class pictures of prior preservation: what the model draws for the class prompt before it is trained.</summary>
public static class PriorPictures
{
    /// <summary>Makes those that are missing in <see cref="DreamBoothConfig.ClassDataDir"/>; nothing without prior preservation.</summary>
    /// <param name="config">How many, where, and of what; with a seed.</param>
    /// <param name="pipeline">The model that draws them.</param>
    /// <param name="events">Told of the stage and of each picture; or null.</param>
    /// <param name="cancellation">Ends the work; pictures made so far stay.</param>
    /// <returns>All class pictures that a training uses, as files in order.</returns>
    /// <exception cref="LabException">The folder holds files that cannot be used.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<string> Make(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, DreamBoothRunEvents? events = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(pipeline);
        if (!config.WithPriorPreservation)
            return [];
        config.Validate();
        events?.OnStage?.Invoke($"Class pictures in {config.ClassDataDir}");
        ClassPictures.TopUp(
            config.ClassDataDir!, config.NumClassImages,
            (count, first) => Generate(config, pipeline, events, count, first, cancellation), config.OnBadImage, cancellation: cancellation);
        return [.. PictureFolder.Read(config.ClassDataDir!, config.OnBadImage).Pictures.Take(config.NumClassImages).Select(picture => picture.Path)];
    }

    private static IEnumerable<RgbImage> Generate(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, DreamBoothRunEvents? events, int count, int first, CancellationToken cancellation)
    {
        for (var done = 0; done < count;)
        {
            var images = pipeline.Generate(
                new GenerationRequest
                {
                    Prompts = [config.ClassPrompt!],
                    NumImagesPerPrompt = Math.Min(config.SampleBatchSize, count - done),
                    Seed = RunSeeds.ClassPicture((ulong)(config.Seed ?? 0), first + done),
                },
                cancellation: cancellation);
            foreach (var image in images)
            {
                done++;
                events?.OnClassPicture?.Invoke(done, count);
                yield return image;
            }
        }
    }
}
