using System.Globalization;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// Runs the forward and backward pass of micro-batches, with the text encoders where they are trained: as a CUDA graph where possible, else
/// as plain calls.
/// </summary>
internal sealed class MicroStep : IDisposable
{
    /// <summary>How many shapes are captured; batches of further shapes run as plain calls.</summary>
    public const int MostRecordings = 2;

    /// <summary>The same where pictures are of several sizes; memory may end before.</summary>
    public const int MostRecordingsOfSizes = 8;

    private readonly Func<TrainingBatch, TrainingDraw, FlowMatchingLoss> _compute;
    private readonly LoraAdapter _adapter;
    private readonly RecordedWork _pass;

    /// <summary>How many shapes a training captures.</summary>
    public static int MostOf(DreamBoothConfig config) =>
        config.AspectBuckets || config.Resolutions.Count > 1 ? MostRecordingsOfSizes : MostRecordings;

    /// <summary>Prepares the steps of a run.</summary>
    /// <param name="compute">The pass: computes the losses of a micro-batch and adds its gradients to the adapter's.</param>
    /// <param name="adapter">What is trained; its gradients add up.</param>
    /// <param name="record">Captures some work on a device after running it a few times; null for plain calls.</param>
    /// <param name="most">How many shapes are captured.</param>
    public MicroStep(
        Func<TrainingBatch, TrainingDraw, FlowMatchingLoss> compute, LoraAdapter adapter, Func<Device, Action, IReplayable>? record,
        int most = MostRecordings)
    {
        (_compute, _adapter) = (compute, adapter);
        _pass = new RecordedWork(adapter.Parameters.device, record)
        {
            Name = "step",
            Most = most,
            Gradients = (adapter.Gradients!, adapter.ClearGradients),
            // Latents and text as they are, another draw.
            Vary = static inputs => [inputs[0], inputs[1].neg(), inputs[2].flip(0), .. inputs[3..]],
        };
    }

    /// <summary>Receives a sentence when capturing is given up.</summary>
    public Action<string>? Warn
    {
        get => _pass.Warn;
        set => _pass.Warn = value;
    }

    /// <summary>Whether the last micro-batch was replayed.</summary>
    public bool Replayed => _pass.Replayed;

    /// <summary>Computes the losses of a micro-batch and adds its gradients.</summary>
    /// <param name="batch">Clean latents and text.</param>
    /// <param name="draw">Noise and timesteps.</param>
    /// <returns>The losses; valid until the next micro-batch, without gradients.</returns>
    public FlowMatchingLoss Run(TrainingBatch batch, TrainingDraw draw)
    {
        var (text, preserved) = (batch.Text, batch.Preserved);
        Tensor[] own =
        [
            batch.Latents, draw.Noise, draw.Indices, .. Optional(batch.Weights), .. Optional(batch.Mask), .. Optional(batch.Outside),
        ];
        var (first, behind) = (own.Length, own.Length + text.Inputs.Count);
        var (isWeighted, isMasked, holds) = (batch.Weights is not null, batch.Mask is not null, batch.Outside is not null);
        var mask = first - (holds ? 2 : 1);
        var outputs = _pass.Run(
            [.. own, .. text.Inputs, .. preserved?.Inputs ?? []],
            inputs => Losses(_compute(
                new TrainingBatch(inputs[0], text with { Inputs = inputs[first..behind] })
                {
                    Weights = isWeighted ? inputs[3] : null,
                    Mask = isMasked ? inputs[mask] : null,
                    Outside = holds ? inputs[first - 1] : null,
                    Preserved = preserved is null ? null : preserved with { Inputs = inputs[behind..] },
                },
                new TrainingDraw(inputs[1], inputs[2]))),
            // The LoRA's weight is a part of the captured graph.
            _adapter.Weight.ToString(CultureInfo.InvariantCulture));
        return new FlowMatchingLoss(outputs[0], outputs[1], outputs.Length > 2 ? outputs[2] : null);
    }

    /// <summary>Frees captured passes; the next ones are captured again. See <see cref="RecordedWork.Forget"/>.</summary>
    public void Forget() => _pass.Forget();

    /// <summary>Does work that takes memory beside captured passes. See <see cref="RecordedWork.WithRoom"/>.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="work">The work; may be done twice.</param>
    public T WithRoom<T>(Func<T> work) => _pass.WithRoom(work);

    /// <summary>Frees recorded passes.</summary>
    public void Dispose() => _pass.Dispose();

    private static Tensor[] Losses(FlowMatchingLoss loss) =>
        [loss.Total.detach(), loss.Instance.detach(), .. Optional(loss.Prior?.detach())];

    private static Tensor[] Optional(Tensor? tensor) => tensor is null ? [] : [tensor];
}
