using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>
/// One reading of a GPU through NVIDIA's management library (NVML): the device's own view, which counts every process
/// and every byte that a caching allocator keeps reserved. All sizes are in bytes.
/// </summary>
/// <param name="Name">The product name, for example <c>NVIDIA H100 80GB HBM3</c>.</param>
/// <param name="Total">Memory of the device.</param>
/// <param name="Free">Memory that nothing has reserved.</param>
/// <param name="Used">Memory in use by all processes.</param>
public sealed record GpuMemory(string Name, long Total, long Free, long Used)
{
    private static readonly ConcurrentDictionary<int, nint> Devices = [];

    private static bool _unavailable;

    /// <summary>The number of a GPU, from 0; null for another device. A CUDA device without a number is the first.</summary>
    /// <param name="device">Any device.</param>
    public static int? IndexOf(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.type == TorchSharp.DeviceType.CUDA ? Math.Max(device.index, 0) : null;
    }

    /// <summary>Reads a device's memory; null for a device that is no GPU, or that NVML does not speak of.</summary>
    /// <param name="device">Any device.</param>
    public static GpuMemory? Read(Device device) => IndexOf(device) is { } index ? Read(index) : null;

    /// <summary>Reads the device with the given index.</summary>
    /// <param name="index">CUDA's device index, from 0.</param>
    /// <returns>The reading, or null where there is no NVIDIA driver or no such device.</returns>
    public static GpuMemory? Read(int index)
    {
        if (_unavailable)
            return null;
        try
        {
            if (nvmlInit_v2() != 0 || FindDevice(index) is not { } device)
                return null;
            var name = new byte[96];
            return nvmlDeviceGetName(device, name, (uint)name.Length) != 0 || nvmlDeviceGetMemoryInfo(device, out var memory) != 0
                ? null
                : new GpuMemory(
                    System.Text.Encoding.UTF8.GetString(name).TrimEnd('\0'), (long)memory.Total, (long)memory.Free, (long)memory.Used);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            _unavailable = true;
            return null;
        }
    }

    /// <summary>The version of NVIDIA's driver, or null where there is none.</summary>
    public static string? DriverVersion()
    {
        var version = new byte[80];
        return Read(0) is not null && nvmlSystemGetDriverVersion(version, (uint)version.Length) == 0
            ? System.Text.Encoding.UTF8.GetString(version).TrimEnd('\0')
            : null;
    }

    // NVML counts all devices by their slots; CUDA those of CUDA_VISIBLE_DEVICES, the fastest first. The slot tells which is which.
    private static nint? FindDevice(int index)
    {
        if (Devices.TryGetValue(index, out var known))
            return known;
        var slot = new byte[64];
        var found = SlotOf(index, slot)
            ? nvmlDeviceGetHandleByPciBusId_v2(slot, out var device) == 0
            : nvmlDeviceGetHandleByIndex_v2((uint)index, out device) == 0;
        return found ? Devices.GetOrAdd(index, device) : null;
    }

    private static bool SlotOf(int index, byte[] slot)
    {
        try
        {
            return cuInit(0) == 0 && cuDeviceGet(out var device, index) == 0 && cuDeviceGetPCIBusId(slot, slot.Length, device) == 0;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct NvmlMemory
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

#pragma warning disable SYSLIB1054, CA5392 // plain P/Invoke: the driver installs the library in the system's search path
    [DllImport("libnvidia-ml.so.1")]
    private static extern int nvmlInit_v2();

    [DllImport("libnvidia-ml.so.1")]
    private static extern int nvmlSystemGetDriverVersion([Out] byte[] version, uint length);

    [DllImport("libnvidia-ml.so.1")]
    private static extern int nvmlDeviceGetHandleByIndex_v2(uint index, out nint device);

    [DllImport("libnvidia-ml.so.1")]
    private static extern int nvmlDeviceGetHandleByPciBusId_v2(byte[] slot, out nint device);

    [DllImport("libcuda.so.1")]
    private static extern int cuInit(uint flags);

    [DllImport("libcuda.so.1")]
    private static extern int cuDeviceGet(out int device, int index);

    [DllImport("libcuda.so.1")]
    private static extern int cuDeviceGetPCIBusId([Out] byte[] slot, int length, int device);

    [DllImport("libnvidia-ml.so.1")]
    private static extern int nvmlDeviceGetName(nint device, [Out] byte[] name, uint length);

    [DllImport("libnvidia-ml.so.1")]
    private static extern int nvmlDeviceGetMemoryInfo(nint device, out NvmlMemory memory);
#pragma warning restore SYSLIB1054, CA5392
}
