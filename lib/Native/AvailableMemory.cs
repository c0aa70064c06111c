using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Native;

/// <summary>The memory of a device that is free for this process now.</summary>
/// <param name="Bytes">Bytes.</param>
/// <param name="Place">Where, a phrase that follows the figure, as <c>free on NVIDIA H100</c>.</param>
/// <param name="IsGpu">Whether it is a GPU's memory.</param>
internal readonly record struct AvailableMemory(long Bytes, string Place, bool IsGpu)
{
    /// <summary>
    /// Reads it: a GPU's by NVML; of the machine, what is available to programs, and at most what this process is allowed.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <returns>Null for a GPU that NVML does not speak of.</returns>
    public static AvailableMemory? Read(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.type == DeviceType.CUDA)
            return GpuMemory.Read(device) is { } gpu ? new(gpu.Free, $"free on {gpu.Name}", true) : null;
        var allowed = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - ProcessMemory.Read().Resident;
        return new(
            Math.Max(0, Math.Min(allowed, MachineAvailable() ?? long.MaxValue)), "that this process may still use, on the CPU", false);
    }

    // Free pages and those of files, which the system gives up when asked.
    private static long? MachineAvailable()
    {
        const string Name = "MemAvailable:", Path = "/proc/meminfo";
        if (!File.Exists(Path)
            || File.ReadLines(Path).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal)) is not { } line)
            return null;
        return long.Parse(
            line[Name.Length..].Replace("kB", string.Empty, StringComparison.Ordinal), NumberStyles.Integer,
            CultureInfo.InvariantCulture) << 10;
    }
}
