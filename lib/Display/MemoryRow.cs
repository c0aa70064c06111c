namespace Dreambooth.Lab.Display;

/// <summary>One row of a <see cref="MemoryTable"/>.</summary>
/// <param name="What">What was planned or measured.</param>
/// <param name="Allocated">Bytes that tensors take (the allocator's own count); null where unknown.</param>
/// <param name="Reserved">Bytes that the allocator holds from the device; null where unknown.</param>
/// <param name="Resident">Bytes that the system or the driver counts for the process; null where unknown.</param>
/// <param name="Source">Where the figures are from: "planned", "measured", a publication.</param>
internal sealed record MemoryRow(string What, long? Allocated, long? Reserved = null, long? Resident = null, string Source = "");
