using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// Numbers for libtorch's operations that live long enough. TorchSharp makes an object of every number that is given to an operation, and
/// of the factor 1 in every addition, and drops it before libtorch has read the value: a garbage collection at that moment frees it, and
/// the operation fails or computes with another number. All numbers come from here; a test over the compiled code rejects others.
/// </summary>
internal static class KeptScalar
{
    private static readonly ConcurrentDictionary<double, Scalar> s_kept = [];
    private static readonly ConcurrentDictionary<long, Scalar> s_integers = [];

    /// <summary>The number 1, for <c>add(tensor, One)</c>.</summary>
    public static Scalar One { get; } = 1;

    /// <summary>A number that recurs; each different one is kept for good.</summary>
    /// <param name="value">The number.</param>
    public static Scalar Of(double value) => s_kept.GetOrAdd(value, static number => number);

    /// <summary>A whole number that recurs, for tensors of whole numbers; each different one is kept for good.</summary>
    /// <param name="value">The number.</param>
    public static Scalar Integer(long value) => s_integers.GetOrAdd(value, static number => number);

    /// <summary>A number that does not recur: hold it with <c>using</c> until the operation is done.</summary>
    /// <param name="value">The number.</param>
    public static Scalar Once(double value) => value;

    /// <summary>The numbers from first in steps to before end.</summary>
    /// <param name="first">The first.</param>
    /// <param name="end">Behind the last.</param>
    /// <param name="dtype">Element type.</param>
    /// <param name="device">Where the tensor lies.</param>
    /// <param name="step">From one to the next.</param>
    /// <returns>A tensor of rank 1.</returns>
    public static Tensor Range(long first, long end, ScalarType dtype, Device device, long step = 1)
    {
        using Scalar from = first, to = end, by = step;
        return arange(from, to, by, dtype, device);
    }
}
