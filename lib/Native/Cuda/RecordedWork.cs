using System.Globalization;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native.Cuda;

/// <summary>
/// Work that runs many times on tensors of few shapes. Where possible, it is captured once for each shape as a CUDA graph and replayed:
/// with small pictures the processor cannot launch operations as fast as the device finishes them. Everything else, and everything after a
/// failed capture, runs as plain calls.
/// </summary>
/// <remarks>
/// A graph keeps its memory until it is freed, so at most <see cref="Most"/> shapes have one. The plain pass over the inputs comes first.
/// The graph is captured over other values of the same shapes, then replayed on the inputs, and must agree with the plain pass: one that
/// ignored its inputs would not. Between runs only small tensors are allocated; larger work goes through <see cref="WithRoom"/>, or after
/// <see cref="Forget"/>.
/// </remarks>
/// <param name="device">Where the work computes.</param>
/// <param name="record">Captures some work on a device after running it a few times; null for plain calls.</param>
internal sealed class RecordedWork(Device device, Func<Device, Action, IReplayable>? record) : IDisposable
{
    // Of the norm of what plain calls give: bfloat16 products that another stream orders otherwise differ by less.
    private const double Agreement = 0.02;

    // TorchSharp frees the factor that it makes itself before libtorch has read it.
    private static readonly Scalar One = 1;

    private readonly Dictionary<string, Recording> _recordings = [];
    private readonly HashSet<string> _refused = [];
    private Func<Device, Action, IReplayable>? _record = record;
    private int _plainCalls;
    private int _fitting = int.MaxValue;

    /// <summary>What a message calls one run of the work: <c>step</c>, <c>prediction</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Makes other values of the same shapes of some inputs.</summary>
    public required Func<Tensor[], Tensor[]> Vary { get; init; }

    /// <summary>How many shapes are captured; further ones run as plain calls. Default 1.</summary>
    public int Most { get; init; } = 1;

    /// <summary>Plain calls before the first capture, in which kernels are compiled. Default 0.</summary>
    public int PlainCalls { get; init; }

    /// <summary>Whether work is captured only if the device waits for the processor in the plain pass before.</summary>
    public bool OnlyWhereLaunchBound { get; init; }

    /// <summary>
    /// What the work adds to, and how that is set to zero; graphs are compared by it. Null where the work only has outputs: then the first
    /// one is compared.
    /// </summary>
    public (Tensor Sum, Action Clear)? Gradients { get; init; }

    /// <summary>Receives a sentence when capturing is given up.</summary>
    public Action<string>? Warn { get; set; }

    /// <summary>Whether the last run was a replay.</summary>
    public bool Replayed { get; private set; }

    /// <summary>Does the work.</summary>
    /// <param name="inputs">What it reads and what differs from run to run.</param>
    /// <param name="work">From such inputs to new tensors on the device; what else it reads must stay where it is.</param>
    /// <param name="variant">Names what else is a part of the work and may change.</param>
    /// <returns>The outputs, in the caller's dispose scope; valid until the next run.</returns>
    public Tensor[] Run(Tensor[] inputs, Func<Tensor[], Tensor[]> work, string variant = "")
    {
        using var scope = NewDisposeScope();
        var shape = KeyOf(inputs, variant);
        Replayed = shape is not null && _recordings.ContainsKey(shape);
        var outputs = Replayed ? _recordings[shape!].Run(inputs)
            : MayRecord(shape) ? RunAndRecord(shape!, inputs, work)
            : RunPlainly(inputs, work);
        foreach (var output in outputs)
            output.MoveToOuterDisposeScope();
        return outputs;
    }

    /// <summary>Frees the graphs and gives their memory back to the device; the next runs are captured again.</summary>
    public void Forget()
    {
        if (_recordings.Count == 0)
            return;
        foreach (var recording in _recordings.Values)
            recording.Dispose();
        _recordings.Clear();
        CachedMemory.Release(device);
    }

    /// <summary>Does other work that takes memory; where memory runs out, the graphs are freed and the work is repeated.</summary>
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

    /// <summary>Frees the graphs.</summary>
    public void Dispose() => Forget();

    /// <summary>The message when some work is not captured: a sentence with the reason.</summary>
    /// <param name="error">The refusal.</param>
    internal static string Warning(Exception error) =>
        $"Steps are not captured as a CUDA graph: {OutOfMemory.Reason(error).TrimEnd('.')}. Each operation is launched by itself.";

    // Null where the inputs cannot be captured: a gradient that must flow past them would end at the graph's own copies.
    private string? KeyOf(Tensor[] inputs, string variant) =>
        (_record is null && _recordings.Count == 0) || Array.Exists(inputs, input => input.requires_grad)
            ? null
            : string.Join(' ', inputs.Select(input => string.Join('×', input.shape)).Prepend(variant));

    private bool MayRecord(string? shape) =>
        shape is not null && _record is not null && _recordings.Count < Math.Min(Most, _fitting) && !_refused.Contains(shape)
            && ++_plainCalls > PlainCalls;

    private Tensor[] RunPlainly(Tensor[] inputs, Func<Tensor[], Tensor[]> work)
    {
        if (_recordings.Count == 0)
            return Call(inputs, work);
        // A pass that runs out of memory halfway has already added some of its gradients.
        using var before = Gradients?.Sum.clone();
        var living = _recordings.Count;
        var outputs = WithRoom(() =>
        {
            Restore(before);
            return Call(inputs, work);
        });
        // Where a plain call needs the memory of a graph, one fewer is captured from now on: not the same ones again and again.
        if (_recordings.Count == 0)
            _fitting = Math.Max(1, living - 1);
        return outputs;
    }

    // What a failing pass has allocated is freed at once.
    private static Tensor[] Call(Tensor[] inputs, Func<Tensor[], Tensor[]> work)
    {
        using var scope = NewDisposeScope();
        var outputs = work(inputs);
        foreach (var output in outputs)
            output.MoveToOuterDisposeScope();
        return outputs;
    }

    private Tensor[] RunAndRecord(string shape, Tensor[] inputs, Func<Tensor[], Tensor[]> work)
    {
        var before = Gradients?.Sum.clone();
        Gradients?.Clear();
        Tensor[] plain = [];
        void RunOnce() => plain = RunPlainly(inputs, work);
        if (!OnlyWhereLaunchBound)
            RunOnce();
        else if (!CudaGraph.IsLaunchBound(device, RunOnce))
            _record = null;
        var gradients = Gradients?.Sum.clone();
        var recorded = _record is null ? null : Record(shape, inputs, work, plain, gradients);
        if (recorded is null)
            Restore(gradients);
        using var noGradients = no_grad();
        Gradients?.Sum.add_(before!, One);
        Replayed = recorded is not null;
        return recorded ?? plain;
    }

    // The outputs of the first replay, whose gradients are summed; null where capturing fails.
    private Tensor[]? Record(string shape, Tensor[] inputs, Func<Tensor[], Tensor[]> work, Tensor[] plain, Tensor? gradients)
    {
        try
        {
            // The blocks of a backward pass; no effect beside another graph. A forward leaves little where capturing pays off.
            if (gradients is not null)
                CachedMemory.Release(device);
            var recording = new Recording(device, Vary(inputs), plain, work, _record!);
            try
            {
                Gradients?.Clear();
                var outputs = recording.Run(inputs);
                RequireAgreement(outputs, gradients, plain);
                _recordings.Add(shape, recording);
                return outputs;
            }
            catch
            {
                recording.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is LabException or ExternalException or DllNotFoundException or EntryPointNotFoundException)
        {
            CachedMemory.Release(device);
            Warn?.Invoke(Warning(error));
            _refused.Add(shape);
            // What could be captured once is captured again after Forget.
            _record = _recordings.Count == 0 ? null : _record;
            return null;
        }
    }

    // Gradients of float16 may be infinite at the first factor of the loss: no reason to distrust a graph whose outputs agree.
    private void RequireAgreement(Tensor[] outputs, Tensor? gradients, Tensor[] outputsBefore)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (recorded, plain) = gradients is not null && float.IsFinite(gradients.norm().item<float>())
            ? (Gradients!.Value.Sum, gradients) : (outputs[0], outputsBefore[0]);
        var difference = (recorded - plain).norm().item<float>();
        var scale = plain.norm().item<float>();
        if (!(difference <= Agreement * scale))
            throw new LabException(
                string.Create(
                    CultureInfo.InvariantCulture, $"a captured {Name} differs by {difference:g3} of {scale:g3} from a plain one."));
    }

    private void Restore(Tensor? gradients)
    {
        if (Gradients is not (Tensor sum, Action clear))
            return;
        using var noGradients = no_grad();
        clear();
        sum.copy_(gradients!);
    }

    /// <summary>The work of one shape on tensors of its own.</summary>
    private sealed class Recording : IDisposable
    {
        private readonly Tensor[] _inputs;
        private readonly Tensor[] _outputs;
        private readonly IReplayable _work;

        public Recording(
            Device device, Tensor[] inputs, Tensor[] like, Func<Tensor[], Tensor[]> work, Func<Device, Action, IReplayable> record)
        {
            using var scope = NewDisposeScope();
            _inputs = Array.ConvertAll(inputs, input => input.to(device).clone().DetachFromDisposeScope());
            _outputs = Array.ConvertAll(like, output => zeros_like(output).DetachFromDisposeScope());
            try
            {
                _work = record(device, () => Compute(work));
            }
            catch
            {
                FreeTensors();
                throw;
            }
        }

        public Tensor[] Run(Tensor[] inputs)
        {
            using (no_grad())
            {
                foreach (var (own, input) in _inputs.Zip(inputs))
                    own.copy_(input);
            }

            _work.Launch();
            return Array.ConvertAll(_outputs, output => output.alias());
        }

        public void Dispose()
        {
            _work.Dispose();
            FreeTensors();
        }

        private void Compute(Func<Tensor[], Tensor[]> work)
        {
            using var scope = NewDisposeScope();
            var outputs = work(_inputs);
            using var noGradients = no_grad();
            foreach (var (own, output) in _outputs.Zip(outputs))
                own.copy_(output);
        }

        private void FreeTensors()
        {
            foreach (var tensor in _inputs.Concat(_outputs))
                tensor.Dispose();
        }
    }
}
