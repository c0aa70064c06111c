using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>How the change of one layer differs between two LoRAs.</summary>
/// <param name="Key">The layer, as <c>transformer.transformer_blocks.0.attn.to_q</c>.</param>
/// <param name="First">What the first has for it.</param>
/// <param name="Second">What the second has for it.</param>
/// <param name="FirstNorm">Frobenius norm of the first's change, its factor included.</param>
/// <param name="SecondNorm">The second's.</param>
/// <param name="Norm">The norm of the difference of both changes.</param>
/// <param name="Cosine">The cosine between both changes, from -1 to 1; null where one is zero.</param>
/// <param name="Rest">
/// The difference of what is beside the change, magnitudes or biases, as a part of the larger; 0 where both have none, 1 where one
/// alone has them.
/// </param>
internal sealed record LoraLayerDifference(
    string Key, LoraContent First, LoraContent Second, double FirstNorm, double SecondNorm, double Norm, double? Cosine, double Rest)
{
    /// <summary>The norm of the difference as a part of the larger change's, from 0 to 2.</summary>
    public double Relative => Norm == 0 ? 0 : Norm / Math.Max(FirstNorm, SecondNorm);

    /// <summary>The larger of <see cref="Relative"/> and <see cref="Rest"/>.</summary>
    public double Largest => Math.Max(Relative, Rest);

    /// <summary>Compares two updates of one layer, at weight 1.</summary>
    /// <param name="first">The first.</param>
    /// <param name="second">The second.</param>
    public static LoraLayerDifference Of(LoraContent first, LoraContent second)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var one = LoraFactors.Of(first).Times(first.Factor);
        var norm = one.Norm();
        var rest = RestOf(first, second);
        if (AreEqual(first, second))
            return new(first.Key, first, second, norm, norm, 0, norm > 0 ? 1 : null, rest);
        var two = LoraFactors.Of(second).Times(second.Factor);
        var other = two.Norm();
        double? cosine = norm > 0 && other > 0 ? Math.Clamp(one.Dot(two) / norm / other, -1, 1) : null;
        return new(first.Key, first, second, norm, other, one.Distance(two), cosine, rest);
    }

    /// <summary>Why two updates cannot be of one layer: their sizes; null where they can.</summary>
    /// <param name="first">The first.</param>
    /// <param name="second">The second.</param>
    public static string? Misfit(LoraContent first, LoraContent second)
    {
        var (one, two) = (first.Size, second.Size);
        return one == two ? null : $"{first.Key} is {one.In} → {one.Out} in the first and {two.In} → {two.Out} in the second";
    }

    // Equal tensors make no difference, which a sum of rounded products would not say.
    private static bool AreEqual(LoraContent first, LoraContent second) =>
        first.Factor == second.Factor && first.Named.Where(IsMatrix).Select(entry => entry.Name)
            .SequenceEqual(second.Named.Where(IsMatrix).Select(entry => entry.Name))
        && first.Named.Where(IsMatrix).All(entry => AreEqual(entry.Value, second[entry.Name]!));

    private static bool AreEqual(Tensor one, Tensor two) =>
        one.shape.SequenceEqual(two.shape) && one.to(ScalarType.Float64).eq(two.to(ScalarType.Float64)).all().item<bool>();

    private static bool IsMatrix((string Name, Tensor Value) entry) => entry.Name is not (LoraParts.Magnitude or LoraParts.Bias);

    private static double RestOf(LoraContent first, LoraContent second) => Math.Max(
        Part(first[LoraParts.Magnitude], 1, second[LoraParts.Magnitude], 1),
        Part(first[LoraParts.Bias], first.Factor, second[LoraParts.Bias], second.Factor));

    private static double Part(Tensor? first, double firstFactor, Tensor? second, double secondFactor)
    {
        if (first is null || second is null)
            return ReferenceEquals(first, second) ? 0 : 1;
        using var one = KeptScalar.Once(firstFactor);
        using var two = KeptScalar.Once(secondFactor);
        var (a, b) = (first.to(ScalarType.Float64).mul(one), second.to(ScalarType.Float64).mul(two));
        var difference = a.sub(b).norm().item<double>();
        return difference == 0 ? 0 : difference / Math.Max(a.norm().item<double>(), b.norm().item<double>());
    }
}
