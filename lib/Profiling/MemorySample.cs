namespace Dreambooth.Lab.Profiling;

/// <summary>One reading of a <see cref="MemoryTimeline"/>; sizes in bytes.</summary>
/// <param name="Seconds">Since the timeline began.</param>
/// <param name="Phase">What was going on; empty between phases.</param>
/// <param name="Resident">The process's resident memory.</param>
/// <param name="Allocated">
/// What native code, libtorch's CPU tensors with it, has allocated; null where the system does not count it.
/// </param>
/// <param name="Device">
/// What is in use on the GPU as NVIDIA's management library (NVML) sees it: of all processes, with what libtorch's allocator keeps
/// reserved; null for a run on the CPU.
/// </param>
public readonly record struct MemorySample(double Seconds, string Phase, long Resident, long? Allocated, long? Device);
