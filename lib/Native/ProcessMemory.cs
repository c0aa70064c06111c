using System.Globalization;
using System.Runtime.InteropServices;

namespace Dreambooth.Lab.Native;

/// <summary>
/// The machine's memory that this process holds. A tensor on the CPU lives in native memory, not in .NET's heap: <see cref="Allocated"/>
/// counts it exactly, <see cref="Resident"/> with all the rest (runtime, libraries, freed pages that were not given back). In bytes.
/// </summary>
/// <param name="Resident">Pages in physical memory (resident set size).</param>
/// <param name="Allocated">
/// What native code has allocated and not freed, as glibc's allocator counts it; null where there is no glibc 2.33 or later. libtorch's CPU
/// tensors are in it, .NET's own objects are not.
/// </param>
internal readonly record struct ProcessMemory(long Resident, long? Allocated)
{
    private static bool _noStatistics = !OperatingSystem.IsLinux();

    /// <summary>Reads both figures; some microseconds.</summary>
    public static ProcessMemory Read() => new(ReadResident(), ReadAllocated());

    private static long ReadResident()
    {
        if (!OperatingSystem.IsLinux())
        {
            using var process = System.Diagnostics.Process.GetCurrentProcess();
            return process.WorkingSet64;
        }

        // Sizes in pages: total, resident, shared, …
        var fields = File.ReadAllText("/proc/self/statm").Split(' ');
        return long.Parse(fields[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }

    private static long? ReadAllocated()
    {
        if (_noStatistics)
            return null;
        try
        {
            var info = mallinfo2();
            return (long)(info.UsedBytes + info.MappedBytes);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            _noStatistics = true;
            return null;
        }
    }

    // struct mallinfo2 of malloc.h: small and middle blocks lie in arenas, large ones in mappings of their own.
    [StructLayout(LayoutKind.Sequential)]
    private struct MallocInfo
    {
        public nuint ArenaBytes;
        public nuint FreeChunks;
        public nuint FastChunks;
        public nuint Mappings;
        public nuint MappedBytes;
        public nuint Unused;
        public nuint FastBytes;
        public nuint UsedBytes;
        public nuint FreeBytes;
        public nuint TopBytes;
    }

#pragma warning disable SYSLIB1054, CA5392 // plain P/Invoke: the C library is in the system's search path
    [DllImport("libc.so.6")]
    private static extern MallocInfo mallinfo2();
#pragma warning restore SYSLIB1054, CA5392
}
