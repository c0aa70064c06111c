using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Training;

/// <summary>The class pictures of prior preservation: what the model generates for the class prompt before it is trained.</summary>
public static class PriorPictures
{
    /// <summary>
    /// Generates those missing in <see cref="DreamBoothConfig.ClassDataDir"/>, or for every class of several subjects; does nothing where
    /// none are used.
    /// </summary>
    /// <param name="config">How many, where, and of what; with a seed.</param>
    /// <param name="pipeline">The model that generates them.</param>
    /// <param name="events">
    /// Told of the stage, of each picture once it is on disk, and of pictures there that were made with another seed, guidance or number of
    /// steps, which are taken; or null.
    /// </param>
    /// <param name="cancellation">Ends the work; pictures made so far stay.</param>
    /// <returns>All class pictures that a training uses, as files in order.</returns>
    /// <exception cref="LabException">
    /// The folder holds files that cannot be used or pictures of another prompt or model, is the instance pictures' own, or is in use.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<string> Make(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, TrainingEvents? events = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(pipeline);
        if (!config.UsesClassPictures)
            return [];
        config.Validate();
        if (config.Subjects is not null)
            return [.. config.PerClass().SelectMany(one => Make(one, pipeline, events, cancellation))];
        TrainingOutput.CheckFolders(config);
        events?.OnStage?.Invoke($"Class pictures in {config.ClassDataDir}");
        foreach (var remark in There(config).Remarks)
            events?.OnWarning?.Invoke(remark);
        var made = (Count: 0, First: 0);
        ClassPictures.TopUp(
            config.ClassDataDir!, config.NumClassImages,
            (count, first) => Generate(config, pipeline, (made = (count, first)).Count, first, cancellation), config.OnBadImage,
            note: index => RecordOf(config, pipeline, made, index).ToNote(), onSaved: events?.OnClassPicture,
            noteInFile: !config.NoMetadata, cancellation: cancellation);
        return Used(config);
    }

    /// <summary>How many class pictures are there already and would be taken; nothing is generated.</summary>
    /// <param name="config">How many, where, and of what.</param>
    /// <returns>Their number, and a sentence for every setting that some were made with and this training would not use.</returns>
    /// <exception cref="LabException">The folder holds pictures of another prompt or model, or files that are refused.</exception>
    internal static (int Count, IReadOnlyList<string> Remarks) There(DreamBoothConfig config)
    {
        if (!Directory.Exists(config.ClassDataDir))
            return (0, []);
        var used = Used(config);
        return (used.Count, Remarks(ClassPictureOrigin.Check(used, config.ClassPrompt!, ModelName(config)), config));
    }

    /// <summary>
    /// The initial noise of class pictures, float32, <c>[count, C, h, w]</c>: each has a seed of its own, so that it does not depend on how
    /// many are made at a time.
    /// </summary>
    internal static TorchSharp.torch.Tensor Noise(StableDiffusion3Pipeline pipeline, ulong seed, int first, int count)
    {
        var size = pipeline.DefaultSize / pipeline.Vae.Config.SpatialFactor;
        return SeededNoise.NormalEach(
            [pipeline.Transformer.Config.InChannels, size, size],
            Enumerable.Range(first, count).Select(index => RunSeeds.ClassPicture(seed, index)));
    }

    /// <summary>Whether class pictures are to be generated.</summary>
    /// <param name="config">How many, and where.</param>
    /// <exception cref="LabException">The folder holds files that cannot be used.</exception>
    internal static bool AreMissing(DreamBoothConfig config) => config.UsesClassPictures && (config.Subjects is not null
        ? config.PerClass().Any(AreMissing)
        : !Directory.Exists(config.ClassDataDir) || Used(config).Count < config.NumClassImages);

    private static IReadOnlyList<string> Used(DreamBoothConfig config) =>
    [
        .. PictureFolder.Read(config.ClassDataDir!, config.OnBadImage).Pictures.Take(config.NumClassImages).Select(picture => picture.Path),
    ];

    // A training without a seed draws one when it begins; up to 1 there is no guidance.
    private static IReadOnlyList<string> Remarks(IReadOnlyList<ClassPictureOrigin> there, DreamBoothConfig config)
    {
        return
        [
            .. Remark("seed", origin => origin.Seed, (ulong?)config.Seed),
            .. Remark("prior_generation_steps", origin => origin.Steps, config.PriorGenerationSteps),
            .. Remark("prior_generation_guidance", origin => Scale(origin.Guidance), Scale(config.PriorGenerationGuidance)),
        ];

        static double? Scale(double? guidance) => guidance is { } scale ? Math.Max(scale, 1) : null;

        IEnumerable<string> Remark<T>(string flag, Func<ClassPictureOrigin, T?> of, T? own)
            where T : struct, IFormattable
        {
            T[] others = own is null ? [] : [.. there.Select(of).OfType<T>().Where(value => !value.Equals(own.Value)).Distinct().Order()];
            if (others.Length > 0)
            {
                var made = ShownText.Names([.. others.Select(value => Text(value))]);
                yield return $"Class pictures in {ProjectFolder.Near(config.ClassDataDir!)} were made with {flag} {made} "
                    + $"and are taken as they are; this run has {Text(own!.Value)}.";
            }
        }

        static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
    }

    private static string ModelName(DreamBoothConfig config) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(config.PretrainedModelNameOrPath));

    private static ulong SeedOf(DreamBoothConfig config) => (ulong)(config.Seed ?? 0);

    // Its model's name is the configuration's, by which a later training knows its own.
    private static PictureRecord RecordOf(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, (int Count, int First) made, int index)
    {
        var (batch, row) = Math.DivRem(index - made.First, AtATime(config, pipeline));
        var size = Math.Min(AtATime(config, pipeline), made.Count - (batch * AtATime(config, pipeline)));
        return PictureRecord.Of(Request(config, size, null), pipeline.Origin, pipeline.Options, pipeline.LoraOrigins) with
        {
            Model = ModelName(config),
            Seed = SeedOf(config),
            Index = index,
            NoiseSeed = RunSeeds.ClassPicture(SeedOf(config), index),
            NoiseIndex = 0,
            BatchSize = size,
            BatchRow = row,
        };
    }

    private static int AtATime(DreamBoothConfig config, StableDiffusion3Pipeline pipeline) =>
        Math.Min(config.SampleBatchSize, pipeline.MostAtATime);

    private static GenerationRequest Request(DreamBoothConfig config, int count, TorchSharp.torch.Tensor? noise) =>
        new()
        {
            Prompts = [config.ClassPrompt!],
            NumImagesPerPrompt = count,
            NumInferenceSteps = config.PriorGenerationSteps,
            GuidanceScale = config.PriorGenerationGuidance,
            Latents = noise,
        };

    internal static IEnumerable<RgbImage> Generate(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, int count, int first, CancellationToken cancellation)
    {
        foreach (var batch in Enumerable.Range(first, count).Chunk(AtATime(config, pipeline)))
        {
            using var noise = Noise(pipeline, SeedOf(config), batch[0], batch.Length);
            foreach (var image in pipeline.GenerateEach(Request(config, batch.Length, noise), cancellation: cancellation))
                yield return image;
        }
    }
}
