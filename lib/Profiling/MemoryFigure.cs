namespace Dreambooth.Lab.Profiling;

/// <summary>Which of a sample's figures a profile speaks of.</summary>
public enum MemoryFigure
{
    /// <summary>The process's resident memory.</summary>
    Resident,

    /// <summary>What native code has allocated, libtorch's CPU tensors with it.</summary>
    Allocated,

    /// <summary>What is in use on the GPU (NVML): allocated and reserved together.</summary>
    Device,
}
