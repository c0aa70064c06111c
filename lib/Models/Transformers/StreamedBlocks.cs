using System.Numerics;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// Blocks that a device does not hold all at once: some stay, the others are loaded when their turn comes and freed behind it. On a GPU the
/// next one is copied, on a stream of its own, while the one before it computes; two of them are then there at a time. What is copied again
/// and again lies in pinned memory, where the machine has enough.
/// </summary>
internal sealed class StreamedBlocks : IDisposable
{
    private const int PinnedPart = 2; // of what is free; others need some

    private readonly IReadOnlyList<nn.Module> _blocks;
    private readonly Action<int, Device> _fill;
    private readonly Device _device;
    private readonly bool[] _stays;
    private readonly Dictionary<int, Tensor[]> _pinned = [];
    private readonly RecordingStream? _copies;
    private readonly CudaEvent[] _events = [];
    private bool _pins;
    private (int Block, Task Copy)? _next;
    // A block whose computation is queued: its weights are freed when that has happened.
    private (int Block, CudaEvent Computed)? _behind;
    private int _turn;

    /// <summary>Loads those that stay.</summary>
    /// <param name="blocks">Blocks whose parameters belong to <see cref="IParameterOwner"/>s, on the meta device.</param>
    /// <param name="resident">How many stay, spread evenly: a copy then has the time of several blocks.</param>
    /// <param name="device">Where they compute.</param>
    /// <param name="fill">Loads a block's parameters to a device.</param>
    public StreamedBlocks(IReadOnlyList<nn.Module> blocks, int resident, Device device, Action<int, Device> fill)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(resident);
        (_blocks, _device, _fill) = (blocks, device, fill);
        resident = Math.Min(resident, blocks.Count);
        _stays = [.. Enumerable.Range(0, blocks.Count).Select(i => (i + 1) * resident / blocks.Count > i * resident / blocks.Count)];
        foreach (var (_, owner, _, _) in blocks.SelectMany(StateDictLoader.Owners))
            owner.IsOnDemand = true;
        for (var i = 0; i < blocks.Count; i++)
        {
            if (_stays[i])
                fill(i, device);
        }

        if (device.type != DeviceType.CUDA || resident == blocks.Count)
            return;
        (_copies, _events) = (RecordingStream.Take(device), [new CudaEvent(device), new CudaEvent(device)]);
        var streamed = blocks.Where((_, i) => !_stays[i]).SelectMany(StateDictLoader.Owners)
            .Sum(owner => (long)BitOperations.RoundUpToPowerOf2((ulong)(owner.Value.numel() * owner.Value.ElementSize)));
        _pins = AvailableMemory.Read(CPU) is { } host && streamed * SharersOf() <= host.Bytes / PinnedPart;
    }

    /// <summary>Has a block's weights there.</summary>
    /// <param name="index">Which block.</param>
    /// <returns>Frees them when disposed; null where they stay.</returns>
    /// <exception cref="Foundation.LabException">The file was changed or removed.</exception>
    public IDisposable? Hold(int index)
    {
        if (_stays[index])
            return null;
        if (_copies is null)
        {
            Load(index);
            return new Holder(this, index);
        }

        if (_next is not { } next || next.Block != index)
        {
            Forget();
            next = (index, Begin(index));
        }

        _next = null;
        next.Copy.GetAwaiter().GetResult();
        if (After(index) is { } following && following != index)
            _next = (following, Begin(following));
        return new Holder(this, index);
    }

    /// <summary>Frees what was copied ahead, and the stream.</summary>
    public void Dispose()
    {
        Forget();
        if (_behind is { } behind)
        {
            behind.Computed.Wait();
            StateDictLoader.Release(_blocks[behind.Block]);
        }

        foreach (var tensor in _pinned.Values.SelectMany(tensors => tensors))
            tensor.Dispose();
        _pinned.Clear();
        _copies?.Dispose();
        foreach (var computed in _events)
            computed.Dispose();
    }

    private int? After(int index) => Enumerable.Range(1, _blocks.Count).Select(step => (index + step) % _blocks.Count)
        .Where(i => !_stays[i]).Select(i => (int?)i).FirstOrDefault();

    // Freed memory goes to the next copy at once: it is freed when the work that used it is done, and not before.
    private Task Begin(int index)
    {
        var behind = _behind;
        _behind = null;
        return Task.Run(() =>
        {
            behind?.Computed.Wait();
            if (behind is { } computed)
                StateDictLoader.Release(_blocks[computed.Block]);
            using var entered = _copies!.Enter();
            Load(index);
            _copies.Wait();
        });
    }

    // Processes of a launcher on this machine, which may all do this.
    private static int SharersOf()
    {
        try
        {
            return Foundation.RankEnvironment.Read().LocalCount;
        }
        catch (Foundation.UsageException)
        {
            return 1;
        }
    }

    private void Load(int index)
    {
        try
        {
            if (_pins)
                CopyFromPinned(index);
            else
                _fill(index, _device);
        }
        catch
        {
            // What was loaded when memory ran out is freed again.
            StateDictLoader.Release(_blocks[index]);
            throw;
        }
    }

    private void CopyFromPinned(int index)
    {
        using var noGradients = no_grad();
        var owners = StateDictLoader.Owners(_blocks[index]).ToList();
        if (!_pinned.TryGetValue(index, out var pinned))
        {
            _fill(index, CPU);
            try
            {
                pinned = [.. StateDictLoader.Owners(_blocks[index]).Select(owner => owner.Value.pin_memory().DetachFromDisposeScope())];
            }
            catch (System.Runtime.InteropServices.ExternalException)
            {
                _pins = false; // The system gives no more; the copies are slower without.
                _fill(index, _device);
                return;
            }

            _pinned.Add(index, pinned);
        }

        for (var i = 0; i < owners.Count; i++)
            owners[i].Owner.Assign(owners[i].Name, pinned[i].to(_device, non_blocking: true));
    }

    private void Release(int index)
    {
        if (_copies is null)
        {
            StateDictLoader.Release(_blocks[index]);
            return;
        }

        var computed = _events[_turn ^= 1];
        computed.Record();
        _behind = (index, computed);
    }

    private void Forget()
    {
        if (_next is not { } next)
            return;
        _next = null;
        try
        {
            next.Copy.GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is Foundation.LabException or System.Runtime.InteropServices.ExternalException)
        {
            return; // Load has freed the block; it is told when its turn comes again.
        }

        StateDictLoader.Release(_blocks[next.Block]);
    }

    private sealed class Holder(StreamedBlocks owner, int index) : IDisposable
    {
        private bool _disposed;

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            owner.Release(index);
        }
    }
}
