using System.Collections.Concurrent;
using TorchSharp;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// Numbers for libtorch's operations that live as long as the program. TorchSharp makes an object of every number that is given to an operation, and of the
/// factor 1 in every addition, and lets go of it before libtorch has read the value: a garbage collection just then frees it, and the operation fails or computes with
/// another number. What runs often takes its numbers from here, or holds them with <c>using</c>.
/// </summary>
internal static class KeptScalar
{
    private static readonly ConcurrentDictionary<double, Scalar> s_kept = [];

    /// <summary>The number 1, for <c>add(tensor, One)</c>.</summary>
    public static Scalar One { get; } = 1;

    /// <summary>A number that recurs; each different one is kept for good.</summary>
    /// <param name="value">The number.</param>
    public static Scalar Of(double value) => s_kept.GetOrAdd(value, static number => number);
}
