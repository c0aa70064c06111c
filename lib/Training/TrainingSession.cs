using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A DreamBooth training that can be held in the hand: prepared once, then run until it is done, cancelled or at a given step, looked at,
/// run on, and saved. <see cref="DreamBoothRun"/> is one such session from beginning to end. While it lives the pipeline's models carry
/// its LoRA, so that pictures drawn in between show what has been learned.
/// </summary>
public sealed class TrainingSession : IDisposable
{
    private readonly StableDiffusion3Pipeline _pipeline;
    private readonly DreamBoothRunEvents _events;
    private readonly DreamBoothBatches _batches;
    private readonly DreamBoothTrainer _trainer;
    private readonly ValidationPictures _pictures;
    private readonly ValidationLoss? _loss;
    private readonly string _dataSha256;
    private readonly TrainingOutput _output;
    private StepLog? _log;
    private Action<string>? _warnBefore;

    private TrainingSession(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, DreamBoothRunEvents events, DreamBoothDataset dataset,
        DreamBoothBatches batches, TrainingOutput output)
    {
        var seed = (ulong)config.Seed!;
        (Config, _pipeline, _events, Dataset, _batches, _output) = (config, pipeline, events, dataset, batches, output);
        _dataSha256 = DataFingerprint.Of(dataset);
        Adapter = config.CreateAdapter(pipeline);
        try
        {
            _trainer = new DreamBoothTrainer(config.For(pipeline.Options.Memory), pipeline.Transformer, pipeline.SchedulerConfig, Adapter, batches) { Warn = events.OnWarning };
        }
        catch
        {
            Adapter.Dispose();
            throw;
        }

        _pictures = new ValidationPictures(config, pipeline, seed);
        _loss = config.ValidationLossSteps is null ? null : new ValidationLoss(config, pipeline.Transformer, pipeline.SchedulerConfig, batches, seed);
    }

    /// <summary>The configuration, with the seed that was drawn where none was given.</summary>
    public DreamBoothConfig Config { get; }

    /// <summary>The pictures that are learned from.</summary>
    public DreamBoothDataset Dataset { get; }

    /// <summary>The LoRA as it is now.</summary>
    public LoraAdapter Adapter { get; }

    /// <summary>Optimizer steps done, those before a checkpoint included.</summary>
    public int StepsDone => _trainer.StepsDone;

    /// <summary>Optimizer steps of the whole run.</summary>
    public int MaxSteps => _trainer.MaxSteps;

    private bool IsFinished => StepsDone >= MaxSteps;

    /// <summary>Loads the models that a configuration names, where and in the precision that it says; a model of the hub is downloaded where it is not there.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="events">Told of downloads and warnings, and asked for the memory mode where the configuration leaves it open; or null.</param>
    /// <param name="cancellation">Ends a download.</param>
    /// <exception cref="LabException">There is no such model or device.</exception>
    public static StableDiffusion3Pipeline LoadPipeline(DreamBoothConfig config, DreamBoothRunEvents? events = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        var device = DeviceSelection.Parse(config.Device);
        var model = new HubResolver(null, events?.OnWarning, events?.OnDownload).Model(config.PretrainedModelNameOrPath, config.Revision, config.Variant, cancellation);
        ModelIndex.RefuseConfigs(model);
        if (ModelIndex.UnusedComponents(model, config.Components) is { } notice)
            events?.OnWarning?.Invoke(notice);
        var memory = config.Memory == MemoryMode.Auto ? events?.ChooseMemory?.Invoke(model) ?? MemoryMode.Fast : config.Memory;
        var most = events?.FitSamples?.Invoke(model, memory) ?? StableDiffusion3Pipeline.WorthAtATime;
        var pipeline = StableDiffusion3Pipeline.Load(model, new PipelineOptions
        {
            Device = device,
            Dtype = config.ComputeDtype(),
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
    /// Locks the output folder, makes class pictures that are missing, encodes pictures and prompts, puts a new LoRA on the models, and,
    /// with <see cref="DreamBoothConfig.ResumeFromCheckpoint"/>, sets everything to where a checkpoint stands.
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
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, DreamBoothRunEvents? events = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        var output = TrainingOutput.Open(config, events?.OnWarning);
        try
        {
            return PrepareIn(output, config, pipeline, events, null, cancellation);
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>The same in an output folder that is locked, which the session takes over, with pictures that are read, or null.</summary>
    internal static TrainingSession PrepareIn(
        TrainingOutput output, DreamBoothConfig config, StableDiffusion3Pipeline pipeline, DreamBoothRunEvents? events,
        DreamBoothDataset? instances, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        if (pipeline.Transformer.IsStreamed)
            throw new LabException("The transformer of this pipeline is loaded block by block, which is for drawing alone. Training needs it whole: load the pipeline without StreamTransformer.");
        events ??= new DreamBoothRunEvents();
        var checkpoint = output.Checkpoint;
        config = config with { Seed = config.Seed ?? checkpoint?.State!.Config().Seed ?? Random.Shared.NextInt64(uint.MaxValue) };
        var warnBefore = pipeline.Prompts.Warn;
        pipeline.Prompts.Warn = events.OnWarning;
        DreamBoothBatches? batches = null;
        TrainingSession? session = null;
        try
        {
            checkpoint?.CheckSettings(config);
            instances ??= ReadInstances(config, events);
            config.CheckAdapter(pipeline);
            checkpoint?.CheckLength(StepsOf(config, instances));

            // Before the class prompt is used: what this line tells is not warned of as well.
            var windows = events.OnSummary is null ? null : pipeline.Prompts.TellWindows(Prompts(config, instances), config.MaxSequenceLength);
            PriorPictures.Make(config, pipeline, events, cancellation);
            var dataset = instances.Complete(config.DatasetOptions());
            Say(DatasetReport.OfClasses(dataset), events);
            if (windows is not null)
                events.OnSummary?.Invoke(windows);
            events.OnStage?.Invoke($"Encoding {dataset.DistinctViews.Count} pictures");
            batches = DreamBoothBatches.Prepare(dataset, pipeline, config, (ulong)config.Seed, events.OnEncoded, cancellation);
            session = new TrainingSession(config, pipeline, events, dataset, batches, output) { _warnBefore = warnBefore };
            if (checkpoint is not null)
                session.GoOnFrom(checkpoint);
            return session;
        }
        catch
        {
            pipeline.Prompts.Warn = warnBefore;
            session?.Dispose();
            batches?.Dispose();
            throw;
        }
    }

    /// <summary>Trains until the run is done, cancelled, or at a given step; a later call goes on from there.</summary>
    /// <param name="until">The step to stop at; null for the run's last.</param>
    /// <param name="cancellation">Ends the run; the step in progress is dropped, those before it are kept.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="NonFiniteException">A step's figures or parameters are not finite; it is taken back, those before stay.</exception>
    public TrainingSummary Run(int? until = null, CancellationToken cancellation = default)
    {
        if (IsFinished && _log is null)
            return new TrainingSummary(StepsDone, false, 0) { WasFinished = true };
        Begin();
        var hooks = _events.Training with { OnStep = record => OnStep(record, cancellation) };
        return _trainer.Run(hooks, until, cancellation);
    }

    /// <summary>Draws the validation pictures with the LoRA as it is now, as the run does by itself every so often.</summary>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The pictures, which also lie in <c>validation/step_NNNNN</c>; none without a validation prompt.</returns>
    public IReadOnlyList<RgbImage> Draw(CancellationToken cancellation = default)
    {
        Begin();
        return Config.ValidationPrompt is null ? [] : [.. DrawEach(cancellation)];
    }

    private IEnumerable<RgbImage> DrawEach(CancellationToken cancellation)
    {
        _trainer.ForgetRecordings();
        foreach (var image in _pictures.Make(StepsDone, _events.OnWarning, cancellation))
        {
            _events.OnValidationPicture?.Invoke(StepsDone, image);
            yield return image;
        }
    }

    /// <summary>Writes the LoRA as it is now to the output folder, and an export where <see cref="DreamBoothConfig.Export"/> says so.</summary>
    /// <returns>The LoRA's file.</returns>
    public string Save()
    {
        var path = Path.Combine(Config.OutputDir, LoraFile.DefaultName);
        LoraFile.Save(path, Adapter);
        var export = Path.Combine(Config.OutputDir, LoraExport.DefaultName);
        if (Config.ExportDtype(Adapter) is { } dtype)
            LoraExport.Save(export, Adapter, dtype, weight: 1);
        else
            File.Delete(export); // of an earlier LoRA
        return path;
    }

    /// <summary>Takes the LoRA off the models and frees what the session holds; what was saved stays.</summary>
    public void Dispose()
    {
        _pipeline.Prompts.Warn = _warnBefore;
        _log?.Dispose();
        _loss?.Dispose();
        _trainer.Dispose();
        Adapter.Dispose();
        _batches.Dispose();
        _output.Dispose();
    }

    // From here on the folder is this run's: what an earlier one logged and drew goes.
    private void Begin()
    {
        if (_log is not null)
            return;
        _output.ClearWhatIsReplaced();
        AtomicFile.WriteAllText(
            Path.Combine(Config.OutputDir, DreamBoothConfig.RecipeName), (Config with { OverwriteOutputDir = false }).ToJson());
        if (StepsDone == 0)
            ValidationPicture.Clear(Config.OutputDir);
        _log = StepLog.Open(Config.OutputDir, StepsDone);
        _events.OnStart?.Invoke(_trainer);
    }

    private void GoOnFrom(TrainingCheckpoint checkpoint)
    {
        checkpoint.CheckData(_dataSha256);
        checkpoint.Restore(_trainer, Adapter);
        _events.OnStage?.Invoke($"Going on from {checkpoint.Folder}");
        if (IsFinished)
            return;
        if (Config.LearningRateSchedule(1).DependsOnLength && checkpoint.State!.Config().MaxTrainSteps != Config.MaxTrainSteps)
            _events.OnWarning?.Invoke($"max_train_steps is not what it was when {checkpoint.Folder} was made: from here on the learning rate is that of the new length.");
    }

    private void OnStep(StepRecord record, CancellationToken cancellation)
    {
        var last = record.Step == MaxSteps;
        if (_loss is not null && (record.Step == 1 || record.Step % Config.ValidationLossSteps == 0 || last))
            record = record with { ValidationLoss = _trainer.WithRoom(_loss.Measure) };
        _log!.Append(record);
        if (record.Step % Config.CheckpointingSteps == 0)
        {
            var checkpoint = TrainingCheckpoint.Write(Config, _dataSha256, _output.StartedAt, _trainer, Adapter);
            _events.OnCheckpoint?.Invoke(checkpoint);
        }

        _events.Training.OnStep?.Invoke(record);
        if (_pictures.IsDue(record.Step, record.Epoch, _trainer))
        {
            foreach (var _ in DrawEach(cancellation))
            {
                // They lie in the folder; a million of them would not fit in memory.
            }
        }
    }

    /// <summary>Reads the instance pictures and their prompts, says what there is, and checks the run's length.</summary>
    /// <param name="config">Where they are.</param>
    /// <param name="events">Told of it; or null.</param>
    /// <exception cref="LabException">The folder, a picture or a caption is wrong, or the run would be too long.</exception>
    internal static DreamBoothDataset ReadInstances(DreamBoothConfig config, DreamBoothRunEvents? events)
    {
        var dataset = DreamBoothDataset.Load(config.DatasetOptions() with { ClassDataDir = null });
        Say(DatasetReport.OfInstances(dataset), events);
        var steps = StepsOf(config, dataset);
        if (config.MaxTrainSteps is null && config.WarmUpNotice(steps, "the run's steps") is { } notice)
            events?.OnWarning?.Invoke(notice);
        var items = ItemsOf(config, dataset);
        if (config.BatchNotice(items) is { } batches)
            events?.OnWarning?.Invoke(batches);
        events?.OnItems?.Invoke(items);
        return dataset;
    }

    private static int StepsOf(DreamBoothConfig config, DreamBoothDataset instances) =>
        DreamBoothTrainer.StepsOf(config, new BatchSampler(ItemsOf(config, instances), config.TrainBatchSize, 0).BatchesPerEpoch);

    // Class pictures that are not there yet will be as many as are asked for.
    private static int ItemsOf(DreamBoothConfig config, DreamBoothDataset instances) =>
        Math.Max(instances.InstanceCount, config.WithPriorPreservation ? config.NumClassImages : 0);

    private static IReadOnlyList<string> Prompts(DreamBoothConfig config, DreamBoothDataset instances) =>
        config.WithPriorPreservation
            ? [.. instances.DistinctPrompts.Append(config.ClassPrompt!).Distinct(StringComparer.Ordinal)]
            : instances.DistinctPrompts;

    private static void Say(DatasetReport report, DreamBoothRunEvents? events)
    {
        foreach (var line in report.Lines)
            events?.OnSummary?.Invoke(line);
        foreach (var warning in report.Warnings)
            events?.OnWarning?.Invoke(warning);
    }
}
