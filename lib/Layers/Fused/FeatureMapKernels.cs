using System.Numerics;
using Dreambooth.Lab.Native.Cuda;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers.Fused;

/// <summary>
/// The kernels of <c>feature_maps.cu</c>: what happens to maps between convolutions, in as few passes over memory as it takes. They serve
/// maps on CUDA in the layout <see cref="ChannelsLast"/> without gradients; for every other map the caller uses libtorch's operations.
/// Letters: B rows, C channels, G groups.
/// </summary>
internal sealed class FeatureMapKernels
{
    /// <summary>The most channels of a group that can be normalised.</summary>
    public const int WidestGroup = Threads;

    private const int Threads = 256; // THREADS of feature_maps.cu
    private const int Pack = 8;
    private const long LeastBlocks = 512; // that a GPU has something to do for every multiprocessor
    private const long MostPixelsPerThread = 64;

    private readonly CudaKernels _kernels;
    private readonly Tensor _map;
    private readonly ulong _pixels;

    private FeatureMapKernels(CudaKernels kernels, Tensor map, long pixels) => (_kernels, _map, _pixels) = (kernels, map, (ulong)pixels);

    private ulong Channels => (ulong)_map.shape[1];

    /// <summary>The kernels for a map; null where they do not serve it.</summary>
    /// <param name="map"><c>[B, C, H, W]</c>.</param>
    /// <param name="others">Parameters and maps that take part.</param>
    public static FeatureMapKernels? For(Tensor map, params ReadOnlySpan<Tensor?> others)
    {
        if (map.device_type != TorchSharp.DeviceType.CUDA || map.numel() == 0 || !ChannelsLast.Is(map) || !Fit(map.shape[1])
            || WantGradients(map, others)
            || CudaKernels.Of(map.device, "feature_maps", map.dtype) is not { } kernels)
            return null;
        foreach (var other in others)
        {
            if (other is not null && other.dtype != map.dtype)
                return null;
        }

        return new FeatureMapKernels(kernels, map, map.shape[2] * map.shape[3]);
    }

    /// <summary>
    /// Whether a model's maps should lie <see cref="ChannelsLast"/>: only where there are kernels, for libtorch's own norms are slow then.
    /// </summary>
    /// <param name="map">What the model reads.</param>
    /// <param name="weight">One of the model's weights.</param>
    public static bool Pay(Tensor map, Tensor weight) =>
        map.device_type == TorchSharp.DeviceType.CUDA && !WantGradients(map, [weight])
            && CudaKernels.Of(map.device, "feature_maps", map.dtype) is not null;

    /// <summary>Whether a map of so many channels can be served: threads have packs of 8, blocks whole pixels.</summary>
    /// <param name="channels">C.</param>
    public static bool Fit(long channels) => channels % Pack == 0 && channels <= Pack * Threads && BitOperations.IsPow2(channels);

    /// <summary>Group normalisation, and SiLU if wanted.</summary>
    /// <param name="groups">G.</param>
    /// <param name="weight"><c>[C]</c>.</param>
    /// <param name="bias"><c>[C]</c>.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="added">What is added to the map before, <c>[C]</c>, or null.</param>
    /// <param name="activate">Whether SiLU follows.</param>
    /// <param name="inPlace">Whether the result takes the map's memory.</param>
    /// <returns>The map itself, or another.</returns>
    public Tensor Normalize(long groups, Tensor weight, Tensor bias, double epsilon, Tensor? added, bool activate, bool inPlace)
    {
        var (rows, pixels) = (_map.shape[0], (long)_pixels);
        var (strip, strips) = Strips(pixels);
        using var sums = empty([rows, strips, 2, _map.shape[1]], ScalarType.Float32, _map.device);
        using var moments = empty([rows, groups, 2], ScalarType.Float32, _map.device);
        var output = inPlace ? _map : ChannelsLast.Empty(_map.shape, _map);
        var input = CudaKernels.Pointer(_map);
        _kernels.Launch("channel_sums", (strips, rows), Threads, input, CudaKernels.Pointer(sums), Channels, _pixels, (ulong)strip);
        _kernels.Launch(
            "group_moments", (groups, rows), Threads,
            CudaKernels.Pointer(sums), CudaKernels.Pointer(added), CudaKernels.Pointer(moments), Channels, (ulong)groups, _pixels,
            (ulong)strips, BitConverter.DoubleToUInt64Bits(epsilon));
        _kernels.Launch(
            "normalize", (strips, rows), Threads,
            input, CudaKernels.Pointer(output), CudaKernels.Pointer(moments), CudaKernels.Pointer(weight), CudaKernels.Pointer(bias),
            CudaKernels.Pointer(added),
            Channels, (ulong)groups, _pixels, (ulong)strip, activate ? 1UL : 0);
        return output;
    }

    /// <summary>Adds another map, and biases of channels, to the map in its own memory.</summary>
    /// <param name="residual">A map of the same shape and layout.</param>
    /// <param name="first">Added too, <c>[C]</c>, or null.</param>
    /// <param name="second">Added too, <c>[C]</c>, or null.</param>
    public void Join(Tensor residual, Tensor? first, Tensor? second)
    {
        var pixels = _map.shape[0] * (long)_pixels;
        var (strip, strips) = Strips(pixels);
        _kernels.Launch(
            "join", (strips, 1), Threads,
            CudaKernels.Pointer(_map), CudaKernels.Pointer(residual), CudaKernels.Pointer(first), CudaKernels.Pointer(second), Channels,
            (ulong)pixels, (ulong)strip);
    }

    /// <summary>Enlarges the map by 2 in both directions: every pixel four times.</summary>
    /// <returns><c>[B, C, 2 H, 2 W]</c>, in the same layout.</returns>
    public Tensor Enlarge()
    {
        var shape = _map.shape;
        var output = ChannelsLast.Empty([shape[0], shape[1], 2 * shape[2], 2 * shape[3]], _map);
        var pixels = shape[0] * (long)_pixels;
        var (strip, strips) = Strips(pixels);
        _kernels.Launch(
            "enlarge", (strips, 1), Threads, CudaKernels.Pointer(_map), CudaKernels.Pointer(output), Channels, (ulong)shape[3],
            (ulong)pixels, (ulong)strip);
        return output;
    }

    // Blocks of as many pixels as leave enough blocks.
    private (long Strip, long Strips) Strips(long pixels)
    {
        var lanes = Threads * Pack / _map.shape[1];
        var strip = lanes * Math.Clamp(pixels / (lanes * LeastBlocks), 1, MostPixelsPerThread);
        return (strip, (pixels + strip - 1) / strip);
    }

    private static bool WantGradients(Tensor map, ReadOnlySpan<Tensor?> others)
    {
        if (!is_grad_enabled())
            return false;
        foreach (var other in others)
        {
            if (other is { requires_grad: true })
                return true;
        }

        return map.requires_grad;
    }
}
