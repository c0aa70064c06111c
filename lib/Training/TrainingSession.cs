using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A DreamBooth training: <see cref="Train(DreamBoothConfig, TrainingEvents?, CancellationToken)"/> is one from beginning to end. A
/// prepared session runs until it is done, cancelled or at a given step; then it can be inspected, run further, and saved. Until it is
/// disposed the pipeline's models carry its LoRA, so that pictures generated in between show what has been learned.
/// </summary>
public sealed partial class TrainingSession : IDisposable
{
    private readonly StableDiffusion3Pipeline _pipeline;
    private readonly TrainingEvents _events;
    private readonly DreamBoothBatches _batches;
    private readonly DreamBoothTrainer _trainer;
    private readonly ValidationPictures _pictures;
    private readonly ValidationPictures? _without;
    private readonly ValidationLoss? _loss;
    private readonly ValidationScores? _scores;
    private readonly string _dataSha256;
    private readonly TrainingOutput _output;
    private readonly StepMemory _memory;
    private StepLog? _log;
    private TensorBoardLog? _board;
    private SpikeStop? _spike;
    private List<string>? _photos;
    private readonly bool _tf32Before;
    private Action<string>? _warnBefore;

    private TrainingSession(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, TrainingEvents events, DreamBoothDataset dataset,
        DreamBoothBatches batches, TrainingOutput output, ValidationScores? scores, ICollective? collective)
    {
        var seed = (ulong)config.Seed!;
        (_scores, _collective, _memory) = (scores, collective, new StepMemory(pipeline.Options.Device));
        (Config, _pipeline, _events, Dataset, _batches, _output) = (config, pipeline, events, dataset, batches, output);
        _dataSha256 = DataFingerprint.Of(dataset);
        Adapter = config.CreateAdapter(pipeline, StartOf(config, output.Checkpoint), events.OnWarning);
        if (config.InitLora is not null && output.Checkpoint is null)
            events.OnSummary?.Invoke($"The LoRA begins as {config.InitLora}: rank {config.Rank}, {Adapter.Layers.Count} layers.");
        try
        {
            _trainer = new DreamBoothTrainer(
                config.For(pipeline.Options.Memory), pipeline.Transformer, pipeline.SchedulerConfig, Adapter, batches)
            { Collective = collective };
        }
        catch
        {
            Adapter.Dispose();
            throw;
        }

        _pictures = new ValidationPictures(config, pipeline, Adapter, seed);
        _without = config.WatchSteps is null || config.PromptWithout is not { } without ? null
            : new ValidationPictures(config, pipeline, Adapter, seed)
            {
                Prompt = without,
                Count = Math.Min(MostWatched, config.NumValidationImages),
            };
        _loss = config.ValidationLossSteps is null
            ? null
            : new ValidationLoss(config, pipeline.Transformer, pipeline.SchedulerConfig, batches, seed);
        (_tf32Before, TorchSharp.torch.backends.cuda.matmul.allow_tf32) =
            (TorchSharp.torch.backends.cuda.matmul.allow_tf32, config.AllowTf32);
    }

    /// <summary>The configuration, with the seed that was drawn where none was given.</summary>
    public DreamBoothConfig Config { get; }

    /// <summary>The pictures that it trains on.</summary>
    public DreamBoothDataset Dataset { get; }

    /// <summary>The current LoRA.</summary>
    public LoraAdapter Adapter { get; }

    /// <summary>Optimizer steps done, those before a checkpoint included.</summary>
    public int StepsDone => _trainer.StepsDone;

    /// <summary>Optimizer steps of the whole run.</summary>
    public int MaxSteps => _trainer.MaxSteps;

    private bool IsFinished => StepsDone >= MaxSteps;

    /// <summary>
    /// A whole training: loads the model, prepares, trains, and saves a LoRA as <c>pytorch_lora_weights.safetensors</c> beside
    /// <c>recipe.json</c> and <c>steps.jsonl</c>.
    /// </summary>
    /// <param name="config">What and how.</param>
    /// <param name="events">Callbacks, or null.</param>
    /// <param name="cancellation">Ends the run; a LoRA of the steps done is saved when there are any.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="LabException">A folder, a picture, the model or a checkpoint is wrong; the message names it.</exception>
    /// <exception cref="NonFiniteException">The training diverged; no LoRA is written, checkpoints stay.</exception>
    /// <exception cref="OperationCanceledException">It was ended before its first step.</exception>
    public static TrainingSummary Train(
        DreamBoothConfig config, TrainingEvents? events = null, CancellationToken cancellation = default) =>
        Train(config, (Rendezvous?)null, events, cancellation);

    /// <summary>The same with a loaded pipeline, which is left unchanged.</summary>
    /// <param name="config">What and how.</param>
    /// <param name="pipeline">The models.</param>
    /// <param name="events">Callbacks, or null.</param>
    /// <param name="cancellation">Ends the run; a LoRA of the steps done is saved when there are any.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="LabException">A folder, a picture, the model or a checkpoint is wrong; the message names it.</exception>
    /// <exception cref="NonFiniteException">The training diverged; no LoRA is written, checkpoints stay.</exception>
    /// <exception cref="OperationCanceledException">It was ended before its first step.</exception>
    public static TrainingSummary Train(
        DreamBoothConfig config, StableDiffusion3Pipeline pipeline, TrainingEvents? events = null, CancellationToken cancellation = default)
    {
        using var session = Prepare(config, pipeline, events, cancellation);
        return session.KeepingSteps(() => session.Run(cancellation: cancellation));
    }

    /// <summary>Trains until the run is done, cancelled, or at a given step; a later call continues from there.</summary>
    /// <param name="until">The step to stop at; null for the run's last.</param>
    /// <param name="cancellation">Ends the run; the step in progress is dropped, those before it are kept.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="NonFiniteException">A step's figures or parameters are not finite; it is taken back, those before stay.</exception>
    public TrainingSummary Run(int? until = null, CancellationToken cancellation = default)
    {
        if (IsFinished && _log is null)
            return new TrainingSummary(StepsDone, false, 0) { WasFinished = true };
        Begin(cancellation);
        _preparing?.Dispose();
        return _trainer.Run(_events with { OnStep = record => OnStep(record, cancellation) }, until, cancellation);
    }

    /// <summary>Generates the validation pictures with the LoRA as it is now, as the run does every <c>validation_steps</c>.</summary>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The pictures, which also lie in <c>validation/step_NNNNN</c>; none without a validation prompt.</returns>
    public IReadOnlyList<RgbImage> GenerateValidation(CancellationToken cancellation = default)
    {
        Begin(cancellation);
        return Config.ValidationPrompt is null ? [] : [.. GenerateEach(cancellation)];
    }

    private IEnumerable<RgbImage> GenerateEach(CancellationToken cancellation)
    {
        foreach (var (index, image) in _pictures.Make(StepsDone, _events.OnWarning, _trainer.WithRoom, cancellation))
        {
            _board?.Add(StepsDone, $"validation/{index:00}", image, ValidationPicture.PathOf(Config.OutputDir, StepsDone, index));
            _events.OnValidationPicture?.Invoke(StepsDone, image);
            yield return image;
        }
    }

    /// <summary>
    /// Writes the current LoRA to the output folder, in every layout of <see cref="DreamBoothConfig.Export"/>; files of other layouts,
    /// which an earlier LoRA left, are deleted.
    /// </summary>
    /// <returns>The LoRA's file.</returns>
    public string Save() => TrainingExports.Save(Config, Adapter, _events.OnWarning);

    /// <summary>Removes the LoRA from the models and frees what the session holds; saved files stay.</summary>
    public void Dispose()
    {
        _pipeline.Prompts.Warn = _warnBefore;
        EndRecord();
        TorchSharp.torch.backends.cuda.matmul.allow_tf32 = _tf32Before;
        _log?.Dispose();
        _board?.Dispose();
        _spike?.Dispose();
        _loss?.Dispose();
        _scores?.Dispose();
        _trainer.Dispose();
        Adapter.Dispose();
        _batches.Dispose();
        _output.Dispose();
    }

    // However a run ends, its steps are saved; but a diverged training must not overwrite an existing LoRA.
    private TrainingSummary KeepingSteps(Func<TrainingSummary> run)
    {
        var save = true;
        try
        {
            var summary = NotingFailure(run);
            if (summary.Cancelled)
                KeepForTheNextStart();
            return summary;
        }
        catch (LossSpikeException)
        {
            save = false;
            throw;
        }
        catch (NonFiniteException error)
        {
            save = false;
            var written = LoraCheckpoints.List(Config.OutputDir) is [.., var last]
                ? $"; the last state that was is {last.Folder}"
                : string.Empty;
            throw new NonFiniteException($"{error.Message} No LoRA was written{written}.");
        }
        catch (Exception error) when (error is RankFailureException || _collective?.Ranks.Failure is not null)
        {
            KeepForTheNextStart(); // A lost rank may show first as a sum that NCCL gives up.
            throw;
        }
        finally
        {
            if (save && StepsDone > 0 && Writes)
                Save();
        }
    }

    // From here on the folder is this run's: what an earlier one logged and generated is deleted.
    private void Begin(CancellationToken cancellation)
    {
        if (_log is not null || !Writes)
            return;
        _output.ClearWhatIsReplaced();
        AtomicFile.WriteAllText(
            Path.Combine(Config.OutputDir, DreamBoothConfig.RecipeName), (Config with { OverwriteOutputDir = false }).ToJson());
        KeepSubjects();
        if (StepsDone == 0)
            ValidationPicture.Clear(Config.OutputDir);
        _log = StepLog.Open(Config.OutputDir, StepsDone);
        var before = StepLog.Read(Config.OutputDir);
        _spike = SpikeStop.Open(Config, _trainer, before);
        var unseen = Unseen(before);
        _board = TensorBoardLog.Open(Config, StepsDone, unseen is null ? StepsDone + 1 : StepsDone, _events.OnWarning);
        BeginRecord();
        _events.OnStart?.Invoke(_trainer);
        if (unseen is not null)
            LookAgain(unseen, cancellation);
    }

    // The file may be changed later; what was trained on stays beside the recipe.
    private void KeepSubjects()
    {
        if (Config.Subjects is { } file)
            AtomicFile.WriteAllText(Path.Combine(Config.OutputDir, SubjectsFile.CopyName), TextFile.Read(file, "The subjects file"));
    }
}
