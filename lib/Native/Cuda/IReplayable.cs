namespace Dreambooth.Lab.Native.Cuda;

/// <summary>Work that was captured once and is started again by one call, with the same tensors every time.</summary>
internal interface IReplayable : IDisposable
{
    /// <summary>Starts the work; operations that follow wait for it.</summary>
    void Launch();
}
