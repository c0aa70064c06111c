using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <content>What is done before the first step.</content>
public sealed partial class TrainingSession
{
    /// <summary>
    /// Loads the models that a configuration names, on its device and in its precision; a hub model is downloaded where it is not cached.
    /// </summary>
    /// <param name="config">The configuration.</param>
    /// <param name="events">
    /// Told of downloads and warnings, and asked for the memory mode where the configuration leaves it open; or null.
    /// </param>
    /// <param name="cancellation">Ends a download.</param>
    /// <exception cref="LabException">There is no such model or device.</exception>
    public static StableDiffusion3Pipeline LoadPipeline(
        DreamBoothConfig config, TrainingEvents? events = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        return LoadPipeline(config, config.ComputeDtype(), events, cancellation);
    }

    private static StableDiffusion3Pipeline LoadPipeline(
        DreamBoothConfig config, TorchSharp.torch.ScalarType dtype, TrainingEvents? events, CancellationToken cancellation)
    {
        var device = DeviceSelection.Parse(config.Device);
        var model = new HubResolver(config.HubOptions(), events?.OnWarning, events?.OnDownload).Model(
            config.PretrainedModelNameOrPath, config.Revision, config.Variant, cancellation);
        ModelIndex.RefuseConfigs(model);
        if (ModelIndex.UnusedComponents(model, config.Components) is { } notice)
            events?.OnWarning?.Invoke(notice);
        var memory = config.Memory == MemoryMode.Auto ? events?.ChooseMemory?.Invoke(model) ?? MemoryMode.Fast : config.Memory;
        var most = events?.FitSamples?.Invoke(model, memory) ?? StableDiffusion3Pipeline.WorthAtATime;
        var pipeline = StableDiffusion3Pipeline.Load(model, new PipelineOptions
        {
            Device = device,
            Dtype = dtype,
            TokenizersFolder = config.Tokenizers,
            Variant = config.Variant,
            ComponentsFolder = config.Components,
            CudaGraph = config.CudaGraph,
            Memory = memory,
        });
        pipeline.MostAtATime = most;
        return pipeline;
    }

    /// <summary>
    /// Locks the output folder, generates missing class pictures, encodes pictures and prompts, adds a new LoRA to the models, and, with
    /// <see cref="DreamBoothConfig.ResumeFromCheckpoint"/>, sets everything to where a checkpoint stands.
    /// </summary>
    /// <param name="config">What and how.</param>
    /// <param name="pipeline">The models; they stay the caller's and must outlive the session.</param>
    /// <param name="events">Callbacks of the whole session, or null.</param>
    /// <param name="cancellation">Ends the preparation.</param>
    /// <exception cref="LabException">
    /// A folder, a picture or an option is wrong, the output folder is in use or another subject's, or the checkpoint does not fit.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled; class pictures made so far stay.</exception>
    public static TrainingSession Prepare(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, TrainingEvents? events = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        config = WithDataset(config, null, events, cancellation);
        var output = TrainingOutput.Open(config, events?.OnWarning);
        try
        {
            return PrepareIn(output, output.Config, pipeline, events, null, null, null, cancellation);
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The same with a locked output folder, which the session takes over, pictures already read and a judge already opened, or null,
    /// and the ranks that train together, or null.
    /// </summary>
    internal static TrainingSession PrepareIn(
        TrainingOutput output, DreamBoothConfig config, StableDiffusion3Pipeline pipeline, TrainingEvents? events,
        DreamBoothDataset? instances, ValidationScores? scores, ICollective? collective, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        if (pipeline.Transformer.IsStreamed)
            throw new LabException(
                "The transformer of this pipeline is loaded block by block, which is for generation only. Training needs it whole: "
                + "load the pipeline without StreamTransformer.");
        events ??= new TrainingEvents();
        var checkpoint = output.Checkpoint;
        config = output.Seeded(config);
        var warnBefore = pipeline.Prompts.Warn;
        pipeline.Prompts.Warn = events.OnWarning;
        DreamBoothBatches? batches = null;
        TrainingSession? session = null;
        try
        {
            checkpoint?.CheckSettings(config);
            instances ??= ReadInstances(config, events);
            scores ??= ValidationScores.Open(config, events);
            config.CheckAdapter(pipeline, StartOf(config, checkpoint));
            checkpoint?.CheckLength(DreamBoothTrainer.StepsOf(config, BatchesOf(config, instances).BatchesPerEpoch));

            // Before the class prompt is used: what this line tells is not warned of as well.
            var windows = events.OnSummary is null
                ? null
                : pipeline.Prompts.TellWindows(Prompts(config, instances), config.MaxSequenceLength);
            MakeClassPictures(config, pipeline, events, collective, cancellation);
            var dataset = instances.Complete(config.DatasetOptions());
            Say(DatasetReport.OfClasses(dataset), events);
            if (windows is not null)
                events.OnSummary?.Invoke(windows);
            events.OnStage?.Invoke($"Encoding {dataset.DistinctViews.Count} pictures");
            batches = Encode(dataset, pipeline, config, events, collective, cancellation);
            session = new TrainingSession(config, pipeline, events, dataset, batches, output, scores, collective);
            session._warnBefore = warnBefore;
            TrainingExports.Check(config, session.Adapter);
            if (checkpoint is not null)
                session.GoOnFrom(checkpoint);
            session.CheckThatAllBeginAlike();
            return session;
        }
        catch
        {
            pipeline.Prompts.Warn = warnBefore;
            session?.Dispose();
            batches?.Dispose();
            scores?.Dispose();
            throw;
        }
    }

    // A checkpoint has the layers and ranks of the LoRA that its run began with.
    private static string? StartOf(DreamBoothConfig config, TrainingCheckpoint? checkpoint) =>
        config.InitLora is null || checkpoint is null ? config.InitLora : checkpoint.Folder;

    private static void MakeClassPictures(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, TrainingEvents events, ICollective? collective,
        CancellationToken cancellation)
    {
        if (collective?.Ranks.IsFirst != false)
        {
            MakeClassPicturesInOwnPrecision(config, events, cancellation);
            PriorPictures.Make(config, pipeline, events, cancellation);
        }

        collective?.Ranks.Barrier();
    }

    // Where encodings are kept, rank 0 makes them and the others read them.
    private static DreamBoothBatches Encode(
        DreamBoothDataset dataset, StableDiffusion3Pipeline pipeline, DreamBoothConfig config, TrainingEvents events,
        ICollective? collective, CancellationToken cancellation)
    {
        CheckSizes(dataset, pipeline);
        var kept = KeptEncodings.Open(config, pipeline, dataset, events.OnWarning);
        var isFirst = collective?.Ranks.IsFirst != false;
        if (kept is not null && !isFirst)
            collective!.Ranks.Barrier();
        var batches = DreamBoothBatches.Prepare(dataset, pipeline, config, (ulong)config.Seed!, events.OnEncoded, kept, cancellation);
        if (batches.NearlyEmptyMasks is { Count: > 0 } empty)
        {
            events.OnWarning?.Invoke(
                $"Crops of {ShownText.Names(empty)} show less than 1 % of what the mask marks, or nothing of it: they teach little. "
                + "Crop at the centre (center_crop), or cut the pictures closer to the subject.");
        }

        if (kept is null)
            return batches;
        if (isFirst)
        {
            kept.Prune();
            collective?.Ranks.Barrier();
        }

        events.OnSummary?.Invoke(kept.Summary);
        return batches;
    }

    private static void CheckSizes(DreamBoothDataset dataset, StableDiffusion3Pipeline pipeline)
    {
        var most = pipeline.Transformer.Config.PosEmbedMaxSize * pipeline.SizeMultiple;
        if (dataset.Sizes.Max(size => Math.Max(size.Width, size.Height)) is var longest && longest > most)
            throw new LabException(
                $"Pictures would be trained at {longest} pixels, and the transformer's table of positions ends at {most}. Give a lower "
                + "resolution; with aspect_buckets no side may be longer either.");
    }

    // By a pipeline of its own, which is gone before that of the training is loaded.
    private static void MakeClassPicturesInOwnPrecision(DreamBoothConfig config, TrainingEvents? events, CancellationToken cancellation)
    {
        if (config.PriorDtype() == config.ComputeDtype() || !PriorPictures.AreMissing(config))
            return;
        using var pipeline = LoadPipeline(config, config.PriorDtype(), events, cancellation);
        PriorPictures.Make(config, pipeline, events, cancellation);
    }

    private void GoOnFrom(TrainingCheckpoint checkpoint)
    {
        checkpoint.CheckData(_dataSha256);
        checkpoint.Restore(_trainer, Adapter);
        _events.OnStage?.Invoke($"Going on from {checkpoint.Folder}");
        if (IsFinished)
            return;
        if (Config.LearningRateSchedule(1).DependsOnLength && checkpoint.State!.Config().MaxTrainSteps != Config.MaxTrainSteps)
            _events.OnWarning?.Invoke(
                $"max_train_steps is not what it was when {checkpoint.Folder} was made: from here on the learning rate is "
                + "that of the new length.");
    }

    /// <summary>Reads the instance pictures and their prompts, says what there is, and checks the run's length.</summary>
    /// <param name="config">Where they are.</param>
    /// <param name="events">Told of it; or null.</param>
    /// <exception cref="LabException">The folder, a picture or a caption is wrong, or the run would be too long.</exception>
    internal static DreamBoothDataset ReadInstances(DreamBoothConfig config, TrainingEvents? events)
    {
        var dataset = DreamBoothDataset.Load(config.DatasetOptions().WithoutClasses());
        Say(DatasetReport.OfInstances(dataset), events);
        var batches = BatchesOf(config, dataset);
        var steps = DreamBoothTrainer.StepsOf(config, batches.BatchesPerEpoch);
        if (config.MaxTrainSteps is null && config.WarmUpNotice(steps, "the run's steps") is { } notice)
            events?.OnWarning?.Invoke(notice);
        if (config.BatchNotice(batches.Count) is { } small)
            events?.OnWarning?.Invoke(small);
        events?.OnBatches?.Invoke(batches);
        return dataset;
    }

    // Class pictures that are not there yet will be as many as are asked for.
    private static BatchSampler BatchesOf(DreamBoothConfig config, DreamBoothDataset instances) =>
        instances.Sampler(instances.CountWith(config.DatasetOptions()), config.TrainBatchSize, seed: 0);

    private static IReadOnlyList<string> Prompts(DreamBoothConfig config, DreamBoothDataset instances) =>
    [
        .. instances.DistinctPrompts.Concat(config.PerClass().Select(one => one.ClassPrompt!)).Concat(config.PreservedPrompts)
            .Distinct(StringComparer.Ordinal),
    ];

    private static void Say(DatasetReport report, TrainingEvents? events)
    {
        foreach (var line in report.Lines)
            events?.OnSummary?.Invoke(line);
        foreach (var warning in report.Warnings)
            events?.OnWarning?.Invoke(warning);
    }
}
