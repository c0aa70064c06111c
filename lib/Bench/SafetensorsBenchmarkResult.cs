namespace Dreambooth.Lab.Bench;

/// <summary>What loading a safetensors file to the CPU costs.</summary>
/// <param name="FileBytes">Length of the file in bytes.</param>
/// <param name="TensorBytes">Size of its tensors.</param>
/// <param name="TensorCount">Number of tensors in it.</param>
/// <param name="OpenMilliseconds">Wall-clock time to open the file and load every tensor, before a byte of them is touched.</param>
/// <param name="ResidentBytesAfterOpen">Growth of the process's resident memory up to there.</param>
/// <param name="TouchMilliseconds">Wall-clock time to read every element once (a sum).</param>
/// <param name="ResidentBytesAfterTouch">Growth of the process's resident memory with every byte touched.</param>
internal sealed record SafetensorsBenchmarkResult(
    long FileBytes,
    long TensorBytes,
    int TensorCount,
    double OpenMilliseconds,
    long ResidentBytesAfterOpen,
    double TouchMilliseconds,
    long ResidentBytesAfterTouch)
{
    /// <summary>
    /// Largest growth of the resident memory while every tensor is loaded as bfloat16 (half its size) and unmapped, one after the other:
    /// what a load to another type or device needs besides its results.
    /// </summary>
    public long PeakBytesConverting { get; init; }
}
