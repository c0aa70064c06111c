using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// The functions of the models that are compiled once as TorchScript: operations of libtorch that TorchSharp has no name for.
/// </summary>
/// <remarks>The script is compiled when one of them is first called; every model's tests go through it.</remarks>
internal static class CompiledFunctions
{
    private const string Source = """
        def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
            return torch.rms_norm(x, [x.size(-1)], weight, epsilon)

        def linear_gelu(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
            return torch._addmm_activation(bias, x, weight.t(), use_gelu=True)

        def scaled_product(x: Tensor, weight: Tensor, scales: Tensor, weight_scales: Tensor, bias: Optional[Tensor]) -> Tensor:
            bfloat16 = 15
            return torch._scaled_mm(x, weight.t(), scales, weight_scales, bias, None, bfloat16, False)

        """;

    private static readonly Lazy<jit.CompilationUnit> s_unit = new(() => jit.compile(Source));

    /// <summary>Root-mean-square normalisation over the last dimension.</summary>
    /// <param name="x">Any shape that ends in the weight's length.</param>
    /// <param name="weight">The learned weight, <c>[D]</c>.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon) =>
        (Tensor)s_unit.Value.invoke("rms_norm", x, weight, KeptScalar.Of(epsilon));

    /// <summary>
    /// A linear layer with GELU in its tanh form in the product itself; on CUDA alone (elsewhere it is another GELU), without gradients.
    /// </summary>
    /// <param name="x"><c>[rows, in]</c>.</param>
    /// <param name="weight"><c>[out, in]</c>.</param>
    /// <param name="bias"><c>[out]</c>.</param>
    /// <returns><c>[rows, out]</c>.</returns>
    public static Tensor LinearGelu(Tensor x, Tensor weight, Tensor bias) => (Tensor)s_unit.Value.invoke("linear_gelu", x, weight, bias);

    /// <summary>A linear layer of rows and a weight in 8-bit floating point (e4m3), on CUDA alone; summed in float32.</summary>
    /// <param name="x"><c>[N, in]</c>.</param>
    /// <param name="weight"><c>[out, in]</c>; both sides multiples of 16.</param>
    /// <param name="scales">Of the rows, float32, <c>[N, 1]</c>.</param>
    /// <param name="weightScales">Of the outputs, float32, <c>[1, out]</c>.</param>
    /// <param name="bias"><c>[out]</c>, bfloat16, or null.</param>
    /// <returns><c>[N, out]</c>, bfloat16.</returns>
    public static Tensor ScaledProduct(Tensor x, Tensor weight, Tensor scales, Tensor weightScales, Tensor? bias) =>
        (Tensor)s_unit.Value.invoke("scaled_product", x, weight, scales, weightScales, bias!);
}
