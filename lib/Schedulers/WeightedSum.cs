using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>Sums of tensors with weights.</summary>
internal static class WeightedSum
{
    /// <summary>w₁·x₁ + w₂·x₂ + …, in the widest of their types.</summary>
    /// <param name="terms">At least one.</param>
    public static Tensor Of(params ReadOnlySpan<(double Weight, Tensor Value)> terms)
    {
        using var scope = NewDisposeScope();
        using var first = KeptScalar.Once(terms[0].Weight);
        var sum = terms[0].Value.mul(first);
        foreach (var (weight, value) in terms[1..])
        {
            using var factor = KeptScalar.Once(weight);
            sum = sum.add(value.mul(factor), KeptScalar.One);
        }

        return sum.MoveToOuterDisposeScope();
    }
}
