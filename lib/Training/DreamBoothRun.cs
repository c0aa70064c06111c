using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A whole DreamBooth training: load the model, make missing class pictures, encode pictures and prompts, train a LoRA and
/// save it as <c>pytorch_lora_weights.safetensors</c> beside <c>recipe.json</c> and <c>steps.jsonl</c>.
/// </summary>
public sealed class DreamBoothRun
{
    private readonly DreamBoothConfig _config;
    private readonly DreamBoothRunEvents _events;

    /// <summary>Prepares a run.</summary>
    /// <param name="config">What and how; validated here.</param>
    /// <param name="events">Callbacks, or null.</param>
    public DreamBoothRun(DreamBoothConfig config, DreamBoothRunEvents? events = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        _config = config;
        _events = events ?? new DreamBoothRunEvents();
    }

    /// <summary>Runs it from beginning to end.</summary>
    /// <param name="cancellation">Ends the run; a LoRA of the steps done is saved when there are any.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="LabException">A folder, a picture, the model or a checkpoint is wrong; the message names it.</exception>
    /// <exception cref="NonFiniteException">The training diverged; no LoRA is written, checkpoints stay.</exception>
    /// <exception cref="OperationCanceledException">It was ended before its first step.</exception>
    public TrainingSummary Execute(CancellationToken cancellation = default)
    {
        _ = DeviceSelection.Parse(_config.Device);
        using var output = TrainingOutput.Open(_config, _events.OnWarning);
        if (output.FinishedSteps is { } steps)
            return new TrainingSummary(steps, false, 0) { WasFinished = true };

        output.Checkpoint?.CheckSettings(_config);

        // What is wrong with the pictures shows before a model is downloaded and loaded.
        var instances = TrainingSession.ReadInstances(_config, _events);
        _events.OnStage?.Invoke($"Loading {_config.PretrainedModelNameOrPath}");
        using var pipeline = TrainingSession.LoadPipeline(_config, _events, cancellation);
        return Execute(pipeline, output, instances, ownsPipeline: true, cancellation);
    }

    /// <summary>Runs it with a pipeline that is loaded already and stays as it is.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="cancellation">Ends the run; a LoRA of the steps done is saved when there are any.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="LabException">A folder, a picture, the model or a checkpoint is wrong; the message names it.</exception>
    /// <exception cref="OperationCanceledException">It was ended before its first step.</exception>
    public TrainingSummary Execute(StableDiffusion3Pipeline pipeline, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        using var output = TrainingOutput.Open(_config, _events.OnWarning);
        return Execute(pipeline, output, instances: null, ownsPipeline: false, cancellation);
    }

    private TrainingSummary Execute(
        StableDiffusion3Pipeline pipeline, TrainingOutput output, DreamBoothDataset? instances, bool ownsPipeline,
        CancellationToken cancellation)
    {
        using var session = TrainingSession.PrepareIn(output, _config, pipeline, _events, instances, cancellation);
        if (ownsPipeline && _config.ValidationPrompt is null)
            pipeline.Prompts.UnloadT5();
        var save = true;
        try
        {
            return session.Run(cancellation: cancellation);
        }
        catch (NonFiniteException error)
        {
            // What a training that diverged has learned last is not worth a LoRA that is there already.
            save = false;
            var written = LoraCheckpoints.List(_config.OutputDir) is [.., var last]
                ? $"; the last state that was is {last.Folder}"
                : string.Empty;
            throw new NonFiniteException($"{error.Message} No LoRA was written{written}.");
        }
        finally
        {
            // However else it ends, the steps done are kept.
            if (save && session.StepsDone > 0)
                session.Save();
        }
    }
}
