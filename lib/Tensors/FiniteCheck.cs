using System.Globalization;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>Whether tensors hold only finite values, tested without a copy.</summary>
internal static class FiniteCheck
{
    /// <summary>The largest absolute value; not finite when any value is not. Nothing waits for it.</summary>
    /// <param name="values">Floating point, of any shape.</param>
    /// <returns>A tensor of rank 0, float32, on the same device.</returns>
    public static Tensor Largest(Tensor values)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        if (values.numel() == 0)
            return zeros([], ScalarType.Float32, values.device).MoveToOuterDisposeScope();
        // libtorch has no norms of 8-bit floats.
        if (values.dtype == Float8.E4M3.Dtype)
            values = values.to(ScalarType.Float32);
        return values.norm(float.PositiveInfinity).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Whether all values are finite; waits for the device.</summary>
    /// <param name="values">Floating point, of any shape; float64 beyond float32 counts as not finite.</param>
    public static bool IsFinite(Tensor values)
    {
        using var largest = Largest(values);
        return float.IsFinite(largest.item<float>());
    }

    /// <summary>Throws if values are not finite.</summary>
    /// <param name="values">Floating point, of any shape.</param>
    /// <param name="what">The file and the tensor, the beginning of the message.</param>
    /// <exception cref="NonFiniteException">At least one value is not finite.</exception>
    public static void Require(Tensor values, string what)
    {
        if (IsFinite(values))
            return;
        using var scope = NewDisposeScope();
        var count = values.numel() - values.to(ScalarType.Float32).isfinite().sum().item<long>();
        throw new NonFiniteException(string.Create(
            CultureInfo.InvariantCulture,
            $"{what} is not finite in {count} of its {values.numel()} values (NaN or infinity): damaged, or of a training that diverged."));
    }

    /// <summary>The parameters of a model that are not finite; those that are not in memory are left out.</summary>
    /// <param name="module">The model.</param>
    public static IEnumerable<string> Faults(nn.Module module) =>
        from entry in module.named_parameters()
        where entry.parameter.device.type != TorchSharp.DeviceType.META && !IsFinite(entry.parameter)
        select entry.name;
}
