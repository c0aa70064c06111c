using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers.Fused;

/// <summary>
/// <see cref="Float8Rows.Of"/> in one pass over memory, by its CUDA kernel, <c>float8_rows.cu</c>. Letters: N rows, D width of the input.
/// </summary>
internal sealed class FusedFloat8Rows
{
    private const int Pack = 8;
    private const int Warp = 32;
    private const int MostThreads = 256;
    private const int WidestRow = 16_384; // 64 numbers in a thread's registers; SD3.5-large's feed-forward has 9,728

    private readonly CudaKernels _kernels;
    private readonly Tensor _input;
    private readonly int _threads;

    private FusedFloat8Rows(CudaKernels kernels, Tensor input, int threads) => (_kernels, _input, _threads) = (kernels, input, threads);

    /// <summary>Prepares the call; null where there is no kernel for this tensor.</summary>
    /// <param name="input"><c>[..., D]</c>; with three dimensions the first may have gaps.</param>
    /// <param name="gelu">Whether the GELU of the values is taken first.</param>
    public static FusedFloat8Rows? Find(Tensor input, bool gelu)
    {
        var width = input.shape[^1];
        if (input.device_type != DeviceType.CUDA || input.numel() == 0 || width % Pack != 0 || width > WidestRow || !HasWholeRows(input))
            return null;
        var threads = (int)Math.Min(MostThreads, ((width / Pack) + Warp - 1) / Warp * Warp);
        var kernels = CudaKernels.Of(
            input.device, "float8_rows", input.dtype, ("WIDTH", width), ("GELU", gelu ? 1 : 0), ("THREADS", threads));
        return kernels is null ? null : new FusedFloat8Rows(kernels, input, threads);
    }

    /// <summary>Codes, <c>[N, D]</c>, and scales, <c>[N, 1]</c>.</summary>
    public Float8Rows Run()
    {
        var width = _input.shape[^1];
        var rows = _input.numel() / width;
        var codes = empty([rows, width], Float8.E4M3.Dtype, _input.device);
        var scales = empty([rows, 1], ScalarType.Float32, _input.device);
        var (perBatch, stride) = _input.is_contiguous() ? (rows, 0) : (_input.shape[1], _input.stride(0));
        _kernels.Launch(
            "quantize", (rows, 1), _threads, CudaKernels.Pointer(_input), CudaKernels.Pointer(codes), CudaKernels.Pointer(scales),
            (ulong)perBatch, (ulong)stride);
        return new Float8Rows(codes, scales);
    }

    private static bool HasWholeRows(Tensor input) => input.storage_offset() % Pack == 0
        && (input.is_contiguous()
            || (input.dim() == 3 && input.stride(2) == 1 && input.stride(1) == input.shape[2] && input.stride(0) % Pack == 0));
}
