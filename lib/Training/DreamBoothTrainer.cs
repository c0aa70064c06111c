using System.Diagnostics;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Trains a LoRA adapter by flow matching. One optimizer step sees up to <see cref="DreamBoothConfig.GradientAccumulationSteps"/>
/// micro-batches and never crosses the end of an epoch; each micro-batch's loss is divided by that number even when an
/// epoch ends early; one gradient norm over all models is clipped; the learning rate moves on once per optimizer step. Where several ranks
/// train together, each takes every N-th micro-batch of a step, and the gradients are summed before they are clipped.
/// </summary>
public sealed partial class DreamBoothTrainer : IDisposable
{
    private readonly DreamBoothConfig _config;
    private readonly LoraAdapter _adapter;
    private readonly ITrainingBatches _batches;
    private readonly ITrainingDraws _draws;
    private readonly FlowMatchingObjective _objective;
    private readonly MicroStep _pass;
    private readonly FlatOptimizer _optimizer;
    private readonly KeptWeights _weights;
    private readonly LearningRateSchedule _schedule;
    private readonly SD3Transformer2DModel _transformer;
    private readonly InputDropout? _dropout;
    private readonly LossScale? _scale;
    private SharedGradients? _shared;

    /// <summary>Prepares a run.</summary>
    /// <param name="config">The hyperparameters.</param>
    /// <param name="transformer">The model, frozen, carrying <paramref name="adapter"/>.</param>
    /// <param name="scheduler">The noise schedule.</param>
    /// <param name="adapter">A trainable adapter.</param>
    /// <param name="batches">What to train on.</param>
    /// <param name="draws">Noise and timesteps; null for draws from the config's seed.</param>
    /// <exception cref="ArgumentException">The adapter keeps no gradients.</exception>
    /// <exception cref="LabException">A rate, the schedule or the timestep density is out of range.</exception>
    public DreamBoothTrainer(
        DreamBoothConfig config, SD3Transformer2DModel transformer, FlowMatchEulerDiscreteSchedulerConfig scheduler,
        LoraAdapter adapter, ITrainingBatches batches, ITrainingDraws? draws = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(scheduler);
        ArgumentNullException.ThrowIfNull(adapter);
        ArgumentNullException.ThrowIfNull(batches);
        if (adapter.Gradients is null)
            throw new ArgumentException($"Adapter '{adapter.Name}' is not trainable.", nameof(adapter));
        (_config, _adapter, _batches, _transformer) = (config, adapter, batches, transformer);
        if (config.LoraDropout > 0)
        {
            _dropout = new InputDropout(
                config.LoraDropout, (long)RunSeeds.Dropout((ulong)(config.Seed ?? 0)), adapter.Parameters.device);
            foreach (var layer in adapter.Layers)
                layer.Update.Dropout = _dropout;
        }

        adapter.ComputeIn(transformer.ProjOut.Weight.dtype);
        _draws = draws
            ?? new SeededTrainingDraws(
                (ulong)(config.Seed ?? Random.Shared.NextInt64()), config.TimestepSamplingParts(), scheduler, transformer.Config.PatchSize);
        _objective = new FlowMatchingObjective(transformer, scheduler)
        {
            WeightingScheme = config.WeightingScheme,
            PreconditionOutputs = config.PreconditionOutputs,
            ElementLoss = config.ElementLoss(),
            GradientCheckpointing = config.GradientCheckpointing,
            PriorLossWeight = config.UsesClassPictures ? config.PriorLossWeight : null,
            Teacher = config.PreservedPrompts.Count > 0 ? (adapter, config.PriorLossWeight) : null,
            MaskedPrior = config.MaskedPriorWeight > 0 ? (adapter, config.MaskedPriorWeight) : null,
        };
        _scale = config.MixedPrecision == MixedPrecision.Fp16 ? new LossScale(adapter.Parameters.device) : null;
        var recorder = config.CudaGraph ? CudaGraph.RecorderOf(adapter.Parameters.device) : null;
        _pass = new MicroStep(Pass, adapter, recorder, MicroStep.MostOf(config));
        StepsPerEpoch = StepsOfEpoch(config, batches.BatchesPerEpoch);
        MaxSteps = StepsOf(config, batches.BatchesPerEpoch);
        _schedule = config.LearningRateSchedule(MaxSteps);
        _schedule.Validate();
        _optimizer = config.CreateOptimizer(adapter);
        _weights = new KeptWeights(adapter, _optimizer, config.Ema() is { } ema ? new EmaWeights(adapter.Parameters, ema) : null);
    }

    /// <summary>The ranks that train together, each with a trainer of the same configuration; null for one by itself.</summary>
    internal ICollective? Collective { get; init; }

    /// <summary>Optimizer steps in an epoch.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public int MaxSteps { get; }

    /// <summary>Optimizer steps done.</summary>
    public int StepsDone { get; private set; }

    /// <summary>Trains until <see cref="MaxSteps"/>, a given step or cancellation, which takes effect between two micro-batches.</summary>
    /// <param name="events">Callbacks of steps, micro-batches and warnings, or null.</param>
    /// <param name="until">The step to stop at; null for the last.</param>
    /// <param name="cancellation">Ends the run; the step in progress is dropped, those before it are kept.</param>
    /// <exception cref="NonFiniteException">A step's figures or parameters are not finite; it is taken back, those before stay.</exception>
    public TrainingSummary Run(TrainingEvents? events = null, int? until = null, CancellationToken cancellation = default)
    {
        cancellation = cancellation.OrAmbient();
        events ??= new TrainingEvents();
        _pass.Warn = events.OnWarning;
        _adapter.RefreshComputeCopy();
        var clock = Stopwatch.StartNew();
        while (StepsDone < Math.Min(MaxSteps, until ?? MaxSteps))
        {
            // Checkpoints, validation pictures and scores of the step before are no part of this one's time.
            var started = clock.Elapsed.TotalSeconds;
            var record = Step(events, cancellation);
            if (record is null)
                return new TrainingSummary(StepsDone, true, clock.Elapsed.TotalSeconds);
            var seconds = clock.Elapsed.TotalSeconds - started;
            events.OnStep?.Invoke(record with { Seconds = seconds, ImagesPerSecond = record.ImagesPerSecond / seconds });
        }

        return new TrainingSummary(StepsDone, false, clock.Elapsed.TotalSeconds);
    }

    /// <summary>Frees captured steps before other work takes memory; they are captured again. See <see cref="MicroStep.Forget"/>.</summary>
    internal void ForgetRecordings() => _pass.Forget();

    /// <summary>Does work that takes memory beside captured steps. See <see cref="MicroStep.WithRoom"/>.</summary>
    internal T WithRoom<T>(Func<T> work) => _pass.WithRoom(work);

    /// <summary>Frees the optimizer's state; the adapter stays.</summary>
    public void Dispose()
    {
        _pass.Dispose();
        foreach (var layer in _adapter.Layers)
            layer.Update.Dropout = null;
        _dropout?.Dispose();
        _scale?.Dispose();
        _shared?.Dispose();
        _objective.Dispose();
        _weights.Dispose();
        _optimizer.Dispose();
    }

    /// <summary>The optimizer steps of a whole run.</summary>
    /// <param name="config">Its length.</param>
    /// <param name="batchesPerEpoch">Micro-batches in an epoch.</param>
    /// <exception cref="UsageException">They are more than can be counted.</exception>
    internal static int StepsOf(DreamBoothConfig config, int batchesPerEpoch)
    {
        if (config.MaxTrainSteps is { } asked)
            return asked;
        var (epochs, stepsPerEpoch) = (config.NumTrainEpochs, StepsOfEpoch(config, batchesPerEpoch));
        var steps = (long)epochs * stepsPerEpoch;
        return steps <= int.MaxValue ? (int)steps : throw new UsageException(
            $"num_train_epochs is {epochs}, of {stepsPerEpoch} steps each: {steps} steps are more than {int.MaxValue}. "
            + $"Give at most {int.MaxValue / stepsPerEpoch} epochs, or max_train_steps.");
    }

    private static int StepsOfEpoch(DreamBoothConfig config, int batches) =>
        ((batches - 1) / config.GradientAccumulationSteps) + 1;

    // However a step ends, the adapter holds the weights to keep.
    private StepRecord? Step(TrainingEvents events, CancellationToken cancellation)
    {
        _weights.Train();
        try
        {
            return TrainedStep(events, cancellation);
        }
        finally
        {
            _weights.Show();
        }
    }

    private StepRecord? TrainedStep(TrainingEvents events, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        int epoch = StepsDone / StepsPerEpoch, first = StepsDone % StepsPerEpoch * _config.GradientAccumulationSteps;
        var count = Math.Min(_config.GradientAccumulationSteps, _batches.BatchesPerEpoch - first);
        _adapter.ClearGradients();
        var sums = zeros([3], ScalarType.Float32, _adapter.Parameters.device);
        long images = 0;
        var (ranks, rank) = Collective?.Ranks is { } group ? (group.Count, group.Rank) : (1, 0);
        var cancelled = false;
        for (var i = first + rank; i < first + count; i += ranks)
        {
            if (cancelled = cancellation.IsCancellationRequested)
                break;
            using var inner = NewDisposeScope();
            var number = ((long)epoch * _batches.BatchesPerEpoch) + i;
            var batch = _config.AugmentEachEpoch ? _pass.WithRoom(() => _batches.Load(epoch, i)) : _batches.Load(epoch, i);
            var loss = Run(batch, number);
            using (no_grad())
                sums.add_(stack([loss.Total.detach(), loss.Instance.detach(), (loss.Prior ?? loss.Instance).detach()]), KeptScalar.One);
            events.OnMicroBatch?.Invoke(
                new MicroBatchRecord(number, loss.Total.item<float>(), loss.Instance.item<float>(), loss.Prior?.item<float>()));
            images += batch.Latents.shape[0];
        }

        if (Collective is null && cancelled)
            return null;
        _shared ??= Collective is null ? null : new SharedGradients(Collective, _adapter.Gradients!);
        var counts = _shared?.Sum(sums, images, cancelled || cancellation.IsCancellationRequested);
        _scale?.Unscale(_adapter.Gradients!);
        var norms = PartNorms();
        var norm = GradientClipping.Clip(_adapter.Gradients!, _config.MaxGradNorm);

        var factor = _schedule.Factor(StepsDone - (_scale?.Skipped ?? 0));
        var scale = _scale?.Value;
        _optimizer.Remember();
        _optimizer.Step(factor);

        // The only wait for the device in a step: the figures that are shown, and those that decide whether the step is kept.
        Tensor[] parts = [sums.div(KeptScalar.Of(count)), norm.reshape(1), _optimizer.Largest(), .. norms, .. StepSize()];
        var figures = cat(counts is null ? parts : [counts, .. parts]).cpu().data<float>().ToArray();
        if (_shared is not null && !_shared.Keeps(ref figures, ref images))
            return Drop();
        if (Skips(figures))
            return LeaveOut(figures, factor, epoch, images) with { LossScale = scale };
        if (!Array.TrueForAll(figures, float.IsFinite))
            throw TakeBack(figures, factor, epoch, Enumerable.Range(first, count));
        StepsDone++;
        _scale?.Keep();
        _weights.Update(StepsDone);
        return Record(figures, factor, epoch, images) with { LossScale = scale };
    }

    // All ranks drop the step in which one was cancelled or lost.
    private StepRecord? Drop()
    {
        _optimizer.Undo();
        return Collective!.Ranks.Failure is { } failure ? throw new RankFailureException(failure.Message) : null;
    }

    // What is left out is a tensor's values, set before the pass: a captured one leaves out what a plain one would.
    private FlowMatchingLoss Run(TrainingBatch batch, long number)
    {
        var draw = _draws.Draw(number, batch.Latents.shape);
        if (_dropout is null)
            return _pass.Run(batch, draw);
        _dropout.MoveTo(number);
        _dropout.IsOn = true;
        try
        {
            return _pass.Run(batch, draw);
        }
        finally
        {
            _dropout.IsOn = false;
        }
    }

    // Forward and backward of a micro-batch; the gradients add up.
    private FlowMatchingLoss Pass(TrainingBatch batch, TrainingDraw draw)
    {
        var loss = _objective.Compute(batch, draw);
        loss.BackwardScaled(_config.GradientAccumulationSteps, _scale?.Factor);
        _adapter.CollectGradients();
        return loss;
    }
}
