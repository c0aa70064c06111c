using System.Diagnostics;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>The memory in use while a training runs, read at most once a second.</summary>
/// <param name="device">Where it runs.</param>
internal sealed class StepMemory(Device device)
{
    private const double Gib = 1L << 30;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long? _at;
    private double? _gib;

    /// <summary>
    /// GiB in use: on a GPU the device's, of all processes, with what allocators hold; else what this process has in physical memory. Null
    /// for a GPU that does not tell.
    /// </summary>
    public double? Read()
    {
        if (_at is { } at && Stopwatch.GetElapsedTime(at) < Interval)
            return _gib;
        _at = Stopwatch.GetTimestamp();
        long? bytes = device.type == TorchSharp.DeviceType.CUDA ? GpuMemory.Read(device)?.Used : ProcessMemory.Read().Resident;
        return _gib = bytes is null ? null : Math.Round(bytes.Value / Gib, 3);
    }
}
