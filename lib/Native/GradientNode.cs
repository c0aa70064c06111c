using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>
/// A step of the backward pass that is a function of the program's own. TorchSharp's class for that keeps an empty tensor of every output's
/// size; this one, over the same native functions, keeps only what the function needs, and releases it as soon as it has run.
/// </summary>
/// <remarks>A graph with such a step can be walked once. What goes wrong in it reaches the caller of <see cref="Backward"/>.</remarks>
internal sealed unsafe class GradientNode
{
    private static readonly Lazy<Exports> s_exports = new(() => new());

    // What went wrong in a step, for the pass that it belongs to; and how many passes are under way.
    private static ExceptionDispatchInfo? s_failure;
    private static int s_passes;

    // What the last step of every thread returned; libtorch has its own references to it when the thread's next one begins.
    private static readonly ConcurrentDictionary<int, (Tensor?[] Tensors, nint Array)> s_returned = [];

    // Where the native side lists the outputs for the managed one.
    [ThreadStatic]
    private static nint[]? t_wrapped;

    private readonly ApplyFunction _apply;
    private readonly DeleteFunction _delete;
    private Func<Tensor?[], Tensor?[]>? _backward;
    private Tensor[] _kept;
    private NodePointer _native;
    private GCHandle _self;

    private GradientNode(Tensor[] kept, Func<Tensor?[], Tensor?[]> backward)
    {
        (_kept, _backward, _apply, _delete) = (kept, backward, Apply, Delete);
        _self = GCHandle.Alloc(this);
        _native = s_exports.Value.Create(Marshal.GetFunctionPointerForDelegate(_apply), Marshal.GetFunctionPointerForDelegate(_delete));
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate TensorList ApplyFunction(nint* gradients, int count);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void DeleteFunction();

    /// <summary>
    /// Registers outputs as computed from inputs with autograd. To be called when gradients are enabled and an input requires one.
    /// </summary>
    /// <param name="inputs">What the outputs were computed from.</param>
    /// <param name="outputs">What was computed, without gradients; replaced by the returned tensors.</param>
    /// <param name="kept">
    /// What the backward function reads; owned by the step from now on. An output is kept as <c>detach()</c> of it.
    /// </param>
    /// <param name="backward">
    /// From the gradients of the outputs, null where there is none, to those of the inputs, new tensors or null.
    /// </param>
    /// <returns>The outputs.</returns>
    public static Tensor[] Join(Tensor[] inputs, Tensor[] outputs, Tensor[] kept, Func<Tensor?[], Tensor?[]> backward)
    {
        foreach (var tensor in kept)
            tensor.DetachFromDisposeScope();
        var exports = s_exports.Value;
        var node = new GradientNode(kept, backward);
        CheckForErrors();
        Tensor[] wrapped;
        try
        {
            wrapped = node.Wrap(inputs, outputs);
        }
        finally
        {
            // From here on the outputs hold the step; where there are none, it is freed.
            exports.ReleaseShared(node._native);
        }

        foreach (var output in outputs)
            output.Dispose();
        return wrapped;
    }

    /// <summary>A backward pass through such steps: an error of one is thrown as what it was.</summary>
    /// <param name="pass">Calls libtorch's backward.</param>
    public static void Backward(Action pass)
    {
        // What a pass that was not called through here has left is not this one's.
        if (Interlocked.Increment(ref s_passes) == 1)
            s_failure = null;
        try
        {
            pass();
        }
        catch (ExternalException) when (s_failure is not null)
        {
            Interlocked.Exchange(ref s_failure, null)?.Throw();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref s_passes);
        }
    }

    /// <summary>Frees what the last step of every thread returned. No backward pass may be under way.</summary>
    public static void FreeReturned()
    {
        foreach (var thread in s_returned.Keys)
            FreeReturned(thread);
    }

    private Tensor[] Wrap(Tensor[] inputs, Tensor[] outputs)
    {
        var exports = s_exports.Value;
        var (inputHandles, outputHandles) =
            (Array.ConvertAll(inputs, input => input.Handle), Array.ConvertAll(outputs, output => output.Handle));
        fixed (nint* first = inputHandles, second = outputHandles)
        {
            var (from, to) = (new TensorList(first, inputs.Length), new TensorList(second, outputs.Length));
            exports.SetNextEdges(_native, from, 1);
            exports.ClearInputMetadata(_native);
            exports.WrapOutputs(from, default, default, to, _native, (nint)(delegate* unmanaged[Cdecl]<nuint, nint>)&ListOutputs);
        }

        GC.KeepAlive(inputs);
        GC.KeepAlive(outputs);
        CheckForErrors();
        return Array.ConvertAll(t_wrapped!, Tensor.UnsafeCreateTensor);
    }

    private TensorList Apply(nint* gradients, int count)
    {
        FreeReturned(Environment.CurrentManagedThreadId);
        try
        {
            using var scope = NewDisposeScope();
            var incoming = new Tensor?[count];
            for (var i = 0; i < count; i++)
                incoming[i] = gradients[i] == 0 ? null : Tensor.UnsafeCreateTensor(gradients[i]);
            var function = _backward ?? throw new LabException("A graph with a step of the program's own was walked twice.");
            var outgoing = function(incoming);
            foreach (var tensor in outgoing)
                tensor?.DetachFromDisposeScope();
            Free();
            var array = (nint*)NativeMemory.Alloc((nuint)outgoing.Length, (nuint)sizeof(nint));
            for (var i = 0; i < outgoing.Length; i++)
                array[i] = outgoing[i]?.Handle ?? 0;
            s_returned[Environment.CurrentManagedThreadId] = (outgoing, (nint)array);
            return new TensorList(array, outgoing.Length);
        }
#pragma warning disable CA1031 // an exception must not pass through native code: too few gradients make libtorch throw one of its own
        catch (Exception error)
#pragma warning restore CA1031
        {
            s_failure = ExceptionDispatchInfo.Capture(error);
            return default;
        }
    }

    private void Delete()
    {
        Free();
        s_exports.Value.ReleaseWeak(_native);
        _native = default;
        _self.Free();
    }

    private void Free()
    {
        _backward = null;
        foreach (var tensor in _kept)
            tensor.Dispose();
        _kept = [];
    }

    private static void FreeReturned(int thread)
    {
        if (!s_returned.TryRemove(thread, out var returned))
            return;
        foreach (var tensor in returned.Tensors)
            tensor?.Dispose();
        NativeMemory.Free((void*)returned.Array);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint ListOutputs(nuint count)
    {
        t_wrapped = GC.AllocateArray<nint>((int)count, pinned: true);
        return Marshal.UnsafeAddrOfPinnedArrayElement(t_wrapped, 0);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct NodePointer
    {
        public readonly nint Shared;
        public readonly nint Weak;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct TensorList(nint* first, long count)
    {
        public readonly nint* First = first;
        public readonly long Count = count;
    }

    /// <summary>The functions of TorchSharp's native library that its own class for such steps is made of.</summary>
    private sealed class Exports
    {
        public readonly delegate* unmanaged[Cdecl]<nint, nint, NodePointer> Create =
            (delegate* unmanaged[Cdecl]<nint, nint, NodePointer>)Find("THSAutograd_CSharpNode_ctor");
        public readonly delegate* unmanaged[Cdecl]<NodePointer, TensorList, byte, void> SetNextEdges =
            (delegate* unmanaged[Cdecl]<NodePointer, TensorList, byte, void>)Find("THSAutograd_CSharpNode_setNextEdges");
        public readonly delegate* unmanaged[Cdecl]<NodePointer, void> ClearInputMetadata =
            (delegate* unmanaged[Cdecl]<NodePointer, void>)Find("THSAutograd_CSharpNode_clearInputMetadata");
        public readonly delegate* unmanaged[Cdecl]<TensorList, TensorList, TensorList, TensorList, NodePointer, nint, void> WrapOutputs =
            (delegate* unmanaged[Cdecl]<TensorList, TensorList, TensorList, TensorList, NodePointer, nint, void>)Find(
                "THSAutograd_Function_wrapOutputs");
        public readonly delegate* unmanaged[Cdecl]<NodePointer, void> ReleaseShared = (delegate* unmanaged[Cdecl]<NodePointer, void>)Find(
            "THSAutograd_CSharpNode_disposeSharedPtr");
        public readonly delegate* unmanaged[Cdecl]<NodePointer, void> ReleaseWeak = (delegate* unmanaged[Cdecl]<NodePointer, void>)Find(
            "THSAutograd_CSharpNode_disposeWeakPtr");

        private static nint Find(string name) => TorchLibraries.Export("LibTorchSharp", name);
    }
}
