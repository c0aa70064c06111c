using System.Globalization;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The forward and backward pass of a micro-batch. Where recording is possible, the pass, with the text encoders that are trained, is recorded
/// once for each shape and replayed: with small pictures the processor cannot launch operations as fast as the device ends them. Everything
/// else, and everything after a recording that failed, is plain calls.
/// </summary>
/// <remarks>
/// A recording keeps its memory as long as it lives, so at most <see cref="MostRecordings"/> shapes have one. It is compared with a plain
/// pass before it is used. That pass comes first: what it leaves in libtorch's cache goes back to the device before the first recording is made,
/// so that a recorded run takes about the memory of a plain one. Between passes, only the optimiser's and the batches' small tensors are allocated;
/// larger work goes through <see cref="WithRoom"/>, or after <see cref="Forget"/>.
/// </remarks>
internal sealed class MicroStep : IDisposable
{
    /// <summary>How many shapes are recorded; batches of further shapes run plainly.</summary>
    public const int MostRecordings = 2;

    private readonly FlowMatchingObjective _objective;
    private readonly LoraAdapter _adapter;
    private readonly int _parts;
    private readonly Dictionary<string, Recording> _recordings = [];
    private readonly HashSet<string> _refused = [];
    private readonly Device _device;
    private Func<Device, Action, IReplayable>? _record;

    /// <summary>Prepares the steps of a run.</summary>
    /// <param name="objective">The loss.</param>
    /// <param name="adapter">What is trained; its gradients add up.</param>
    /// <param name="parts">How many micro-batches share an optimiser step.</param>
    /// <param name="record">Records some work on a device after running it a few times; null for plain calls.</param>
    public MicroStep(FlowMatchingObjective objective, LoraAdapter adapter, int parts, Func<Device, Action, IReplayable>? record) =>
        (_objective, _adapter, _parts, _record, _device) = (objective, adapter, parts, record, adapter.Parameters.device);

    /// <summary>Receives a sentence when recording is given up.</summary>
    public Action<string>? Warn { get; set; }

    /// <summary>Whether the last micro-batch was replayed.</summary>
    public bool Replayed { get; private set; }

    /// <summary>Computes the losses of a micro-batch and adds its gradients.</summary>
    /// <param name="batch">Clean latents and text.</param>
    /// <param name="draw">Noise and timesteps.</param>
    /// <returns>The losses; valid until the next micro-batch, without gradients.</returns>
    public FlowMatchingLoss Run(TrainingBatch batch, TrainingDraw draw)
    {
        var recording = FindRecording(batch, draw);
        Replayed = recording is not null;
        return recording?.Run(batch, draw) ?? RunBesideRecordings(batch, draw);
    }

    /// <summary>Frees the recordings and gives their memory back to the device; the next passes are recorded again. To be called before work that takes much memory of its own.</summary>
    public void Forget()
    {
        if (_recordings.Count == 0)
            return;
        foreach (var recording in _recordings.Values)
            recording.Dispose();
        _recordings.Clear();
        CachedMemory.Release(_device);
    }

    /// <summary>Does some work that takes memory beside the recordings; where that is refused, they are freed and it is done again.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="work">The work; may be done twice.</param>
    public T WithRoom<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ExternalException error) when (_recordings.Count > 0 && OutOfMemory.Is(error))
        {
            Forget();
        }

        return work();
    }

    /// <summary>Frees the recordings.</summary>
    public void Dispose() => Forget();

    // A pass to which memory is refused in its midst has added some of its gradients, and is held by its loss.
    private FlowMatchingLoss RunBesideRecordings(TrainingBatch batch, TrainingDraw draw)
    {
        if (_recordings.Count == 0)
            return RunPlainly(batch, draw);
        using var before = _adapter.Gradients!.clone();
        return WithRoom(() =>
        {
            Restore(before);
            using var scope = NewDisposeScope();
            var loss = RunPlainly(batch, draw) with { Pass = null };
            foreach (var tensor in new HashSet<Tensor?>([loss.Total, loss.Instance, loss.Prior, loss.Noisy, loss.Denoised], ReferenceEqualityComparer.Instance))
                tensor?.MoveToOuterDisposeScope();
            return loss;
        });
    }

    private FlowMatchingLoss RunPlainly(TrainingBatch batch, TrainingDraw draw)
    {
        var loss = _objective.Compute(batch, draw);
        loss.Backward(_parts);
        _adapter.CollectGradients();
        return loss;
    }

    private Recording? FindRecording(TrainingBatch batch, TrainingDraw draw)
    {
        // A gradient that is to go on behind the inputs would end at a recording's own copies of them.
        if ((_record is null && _recordings.Count == 0) || batch.Text.Inputs.Any(input => input.requires_grad))
            return null;
        // The LoRA's weight is a part of what is recorded.
        var weight = _adapter.Weight.ToString(CultureInfo.InvariantCulture);
        var shape = string.Join(' ', batch.Text.Inputs.Prepend(batch.Latents).Select(input => string.Join('×', input.shape)).Prepend(weight));
        if (_recordings.TryGetValue(shape, out var found))
            return found;
        if (_record is null || _recordings.Count >= MostRecordings || _refused.Contains(shape))
            return null;
        try
        {
            var recording = RecordAndCompare(batch, draw, _record);
            _recordings.Add(shape, recording);
            return recording;
        }
        catch (Exception error) when (CudaGraph.IsRefusal(error))
        {
            CachedMemory.Release(_device);
            Warn?.Invoke(CudaGraph.Warning(error));
            _refused.Add(shape);
            // What could be recorded once is recorded again after Forget.
            _record = _recordings.Count == 0 ? null : _record;
            return null;
        }
    }

    private Recording RecordAndCompare(TrainingBatch batch, TrainingDraw draw, Func<Device, Action, IReplayable> record)
    {
        using var scope = NewDisposeScope();
        var before = _adapter.Gradients!.clone();
        Recording? recording = null;
        try
        {
            // Another draw than the recorded one: a recording that ignored its inputs would agree on that.
            var other = new TrainingDraw(draw.Noise.neg(), draw.Indices.flip(0));
            var plain = Gradients(() => RunPlainly(batch, other));
            CachedMemory.Release(_device); // without effect beside another recording
            recording = new Recording(this, batch, draw, record);
            var replayed = Gradients(() => recording.Run(batch, other));
            CudaGraph.RequireAgreement(replayed, plain, "the gradients of a recorded step differ");
            return recording;
        }
        catch
        {
            recording?.Dispose();
            throw;
        }
        finally
        {
            Restore(before);
        }
    }

    private void Restore(Tensor gradients)
    {
        using var noGradients = no_grad();
        _adapter.ClearGradients();
        _adapter.Gradients!.copy_(gradients);
    }

    private Tensor Gradients(Action pass)
    {
        _adapter.ClearGradients();
        using var scope = NewDisposeScope();
        pass();
        return _adapter.Gradients!.clone().MoveToOuterDisposeScope();
    }

    /// <summary>One shape's pass over tensors of its own.</summary>
    private sealed class Recording : IDisposable
    {
        private readonly TrainingBatch _batch;
        private readonly TrainingDraw _draw;
        private readonly FlowMatchingLoss _loss;
        private readonly IReplayable _work;

        public Recording(MicroStep owner, TrainingBatch batch, TrainingDraw draw, Func<Device, Action, IReplayable> record)
        {
            using var scope = NewDisposeScope();
            var device = batch.Latents.device;
            _batch = new TrainingBatch(batch.Latents.clone(), batch.Text with { Inputs = [.. batch.Text.Inputs.Select(input => input.clone())] });
            _draw = new TrainingDraw(draw.Noise.to(device).clone(), draw.Indices.to(device).clone());
            Tensor Number() => zeros([], ScalarType.Float32, device);
            _loss = new FlowMatchingLoss(Number(), Number(), owner._objective.PriorLossWeight is null ? null : Number(), zeros_like(_batch.Latents), zeros_like(_batch.Latents));
            foreach (var tensor in Tensors)
                tensor.DetachFromDisposeScope();
            try
            {
                _work = record(device, () => Compute(owner));
            }
            catch
            {
                FreeTensors();
                throw;
            }
        }

        private IEnumerable<Tensor> Tensors =>
        [
            _batch.Latents, .. _batch.Text.Inputs, _draw.Noise, _draw.Indices,
            _loss.Total, _loss.Instance, _loss.Noisy, _loss.Denoised, .. _loss.Prior is null ? Array.Empty<Tensor>() : [_loss.Prior],
        ];

        public FlowMatchingLoss Run(TrainingBatch batch, TrainingDraw draw)
        {
            using (no_grad())
            {
                _batch.Latents.copy_(batch.Latents);
                foreach (var (own, input) in _batch.Text.Inputs.Zip(batch.Text.Inputs))
                    own.copy_(input);
                _draw.Noise.copy_(draw.Noise);
                _draw.Indices.copy_(draw.Indices);
            }

            _work.Launch();
            return _loss;
        }

        public void Dispose()
        {
            _work.Dispose();
            FreeTensors();
        }

        private void Compute(MicroStep owner)
        {
            using var scope = NewDisposeScope();
            var loss = owner.RunPlainly(_batch, _draw);
            using var noGradients = no_grad();
            _loss.Total.copy_(loss.Total);
            _loss.Instance.copy_(loss.Instance);
            _loss.Prior?.copy_(loss.Prior!);
            _loss.Noisy.copy_(loss.Noisy);
            _loss.Denoised.copy_(loss.Denoised);
        }

        private void FreeTensors()
        {
            foreach (var tensor in Tensors)
                tensor.Dispose();
        }
    }
}
