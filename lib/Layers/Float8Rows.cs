using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// A matrix in 8-bit floating point (e4m3), each row with a scale of its own: a value is about its code times the scale. The largest
/// magnitude of a row is 448, the format's largest; every other value is off by at most a 16th of itself, and below a 64th of a scale by at
/// most a 1024th of it. Letters: N rows, D width.
/// </summary>
/// <param name="Codes"><c>[N, D]</c>, e4m3.</param>
/// <param name="Scales"><c>[N, 1]</c>, float32.</param>
internal sealed record Float8Rows(Tensor Codes, Tensor Scales) : IDisposable
{
    /// <summary>Sides of a weight are multiples of this for the products on CUDA.</summary>
    internal const int SideMultiple = 16;

    private const float Largest = 448;
    private const double Least = 1e-12; // of a row's largest magnitude, so that a row of zeros has a scale
    private const int LeastCapability = 89;

    /// <summary>Why a device has no products in this format; null where it has them.</summary>
    /// <param name="device">The device.</param>
    public static string? Refusal(Device device)
    {
        if (device.type != DeviceType.CUDA)
            return null;
        var capability = CudaDriver.Capability(GpuMemory.IndexOf(device)!.Value);
        return capability >= LeastCapability ? null
            : $"products in fp8 need a GPU of compute capability 8.9 or more (Ada, Hopper or later); this one has "
                + $"{capability / 10}.{capability % 10}";
    }

    /// <summary>Brings rows into the format, on CUDA in one pass over memory (<see cref="FusedFloat8Rows"/>).</summary>
    /// <param name="input"><c>[..., D]</c>; no gradient comes through.</param>
    /// <param name="gelu">Whether the GELU of the values, in its tanh form, is taken first.</param>
    public static Float8Rows Of(Tensor input, bool gelu = false) =>
        FusedFloat8Rows.Find(input, gelu)?.Run() ?? OfPlainly(input, gelu);

    /// <summary>The same by libtorch's operations.</summary>
    public static Float8Rows OfPlainly(Tensor input, bool gelu = false)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var values = gelu ? nn.functional.gelu(input, TorchSharp.Modules.GELU.Approximate.tanh) : input;
        values = values.reshape(-1, input.shape[^1]).to(ScalarType.Float32);
        var largest = values.abs().amax([1], keepdim: true).clamp_min(KeptScalar.Of(Least));
        var factors = full_like(largest, KeptScalar.Of(Largest)).div(largest);
        // Above 448 the conversion would give NaN.
        var codes = values.mul(factors).clamp(KeptScalar.Of(-Largest), KeptScalar.Of(Largest)).to(Float8.E4M3.Dtype);
        return new Float8Rows(codes.MoveToOuterDisposeScope(), largest.mul(KeptScalar.Of(1 / Largest)).MoveToOuterDisposeScope());
    }

    /// <summary>The values, float32, <c>[N, D]</c>.</summary>
    public Tensor Decode()
    {
        using var codes = Codes.to(ScalarType.Float32);
        return codes.mul(Scales);
    }

    /// <summary>These rows times those of a weight: <c>x Wᵀ + b</c>, summed in float32.</summary>
    /// <param name="weight">The weight, <c>[out, D]</c>.</param>
    /// <param name="bias"><c>[out]</c>, or null.</param>
    /// <param name="dtype">Element type of the result.</param>
    /// <returns><c>[N, out]</c>; on CUDA rounded to bfloat16.</returns>
    public Tensor Times(Float8Rows weight, Tensor? bias, ScalarType dtype)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var ofWeight = weight.Scales.t();
        if (Codes.device_type == DeviceType.CUDA)
        {
            return CompiledFunctions.ScaledProduct(Codes, weight.Codes, Scales, ofWeight, bias?.to(ScalarType.BFloat16))
                .to(dtype).MoveToOuterDisposeScope();
        }

        var product = Codes.to(ScalarType.Float32).mm(weight.Codes.to(ScalarType.Float32).t()).mul_(Scales).mul_(ofWeight);
        return (bias is null ? product : product.add_(bias.to(ScalarType.Float32), KeptScalar.One)).to(dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Frees both tensors.</summary>
    public void Dispose()
    {
        Codes.Dispose();
        Scales.Dispose();
    }
}
