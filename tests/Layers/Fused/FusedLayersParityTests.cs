using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers.Fused;

/// <summary>
/// The CUDA kernels of a transformer block beside the chains of libtorch's operations that they stand for, forward and backward.
/// </summary>
[Trait("Category", "Parity")]
public sealed class FusedLayersParityTests
{
    private static readonly Device s_device = TestDevice.Device;

    [Theory]
    [InlineData(2, 37, 1536, ScalarType.Float32)]
    [InlineData(2, 37, 1536, ScalarType.BFloat16)]
    [InlineData(1, 3, 40, ScalarType.Float32)]
    [InlineData(3, 65, 2048, ScalarType.Float16)]
    [InlineData(2, 37, 2432, ScalarType.BFloat16)]
    [InlineData(1, 9, 3072, ScalarType.Float32)]
    public void AdaptiveNorm_Fused_AgreesWithTheChain(long batch, long tokens, long width, ScalarType dtype)
    {
        KernelParity.Require(ScalarType.Float32, "joint_heads", ("WIDTH", 64));
        Compare(
            dtype,
            [[batch, tokens, width], [batch, 9 * width]],
            x => [.. AdaptiveNorm.Modulate(x[0], (Part(x[1], 0), Part(x[1], 1)), (Part(x[1], 2), Part(x[1], 3)))],
            x => [Pointwise.Modulate(Pointwise.Normalize(x[0]), Part(x[1], 0), Part(x[1], 1)),
                Pointwise.Modulate(Pointwise.Normalize(x[0]), Part(x[1], 2), Part(x[1], 3))]);
        Compare(
            dtype,
            [[batch, tokens, width], [batch, tokens, width], [batch, 9 * width]],
            x => Pair(AdaptiveNorm.GateAddModulate(x[0], Part(x[2], 4), x[1], Part(x[2], 5), Part(x[2], 6))),
            x => Pair(
                (Pointwise.GateAdd(x[0], Part(x[2], 4), x[1]),
                    Pointwise.Modulate(Pointwise.Normalize(Pointwise.GateAdd(x[0], Part(x[2], 4), x[1])), Part(x[2], 5), Part(x[2], 6)))));
        Compare(
            dtype,
            [[batch, tokens, width], [batch, tokens, width], [batch, 9 * width]],
            x => [AdaptiveNorm.GateAdd(x[0], Part(x[2], 8), x[1])],
            x => [Pointwise.GateAdd(x[0], Part(x[2], 8), x[1])]);
    }

    [Theory]
    [InlineData(2, 37, 11, 24, 64, ScalarType.Float32)]
    [InlineData(2, 37, 11, 24, 64, ScalarType.BFloat16)]
    [InlineData(1, 5, 0, 3, 8, ScalarType.Float32)]
    [InlineData(2, 9, 20, 2, 256, ScalarType.Float16)]
    public void JointHeads_Fused_AgreesWithTheChain(long batch, long imageTokens, long textTokens, long heads, long width, ScalarType dtype)
    {
        KernelParity.Require(ScalarType.Float32, "joint_heads", ("WIDTH", 64));
        long[] image = [batch, imageTokens, heads * width], text = [batch, textTokens, heads * width];
        var norms = new RMSNorm[4];
        for (var i = 0; i < 4; i++)
        {
            norms[i] = new RMSNorm(width, 1e-6, s_device, dtype);
            using (no_grad())
                norms[i].Weight.copy_(rand(width) + 0.5);
        }

        RMSNorm[] ofImage = [norms[0], norms[1]], ofText = [norms[2], norms[3]];
        Tensor[]? Text(Tensor[] x) => textTokens == 0 ? null : x[3..];
        Compare(
            dtype,
            textTokens == 0 ? [image, image, image] : [image, image, image, text, text, text],
            x => FusedJointHeads.Find(heads, x[..3], ofImage, Text(x), ofText)!.Run(),
            x => JointHeads.JoinPlainly(heads, x[..3], ofImage, Text(x), ofText));
    }

    [Fact]
    public void FeedForward_WithGeluInTheProduct_AgreesWithTheChain()
    {
        KernelParity.Require(ScalarType.Float32, "joint_heads", ("WIDTH", 64));
        using var scope = NewDisposeScope();
        var layer = new FeedForward(64, s_device, ScalarType.Float32);
        using (no_grad())
        {
            foreach (var parameter in layer.parameters())
                parameter.copy_(randn(parameter.shape) * 0.2);
        }

        var input = randn([2, 7, 64], device: s_device);
        var chained = layer.call(input.clone().requires_grad_(true)).detach();
        Tensor inProduct;
        using (no_grad())
            inProduct = layer.call(input);

        Assert.True(GoldenAssert.RelativeError(chained, inProduct) < 1e-5);
    }

    private static void Compare(ScalarType dtype, long[][] shapes, Func<Tensor[], Tensor[]> fused, Func<Tensor[], Tensor[]> chain)
    {
        using var scope = NewDisposeScope();
        var inputs = Array.ConvertAll(shapes, shape => randn(shape).to(dtype).to(s_device));
        var exact = Values(inputs, ScalarType.Float32, chain);
        var ours = Values(inputs, dtype, fused);
        var theirs = Values(inputs, dtype, chain);
        for (var i = 0; i < exact.Length; i++)
            KernelParity.Agree(dtype, exact[i], theirs[i], ours[i], $"value {i} of {exact.Length}");
    }

    // Outputs, then the gradients of the inputs for fixed gradients of the outputs.
    private static Tensor[] Values(Tensor[] inputs, ScalarType dtype, Func<Tensor[], Tensor[]> function)
    {
        var leaves = Array.ConvertAll(inputs, input => input.to(dtype).detach().clone().requires_grad_(true));
        var outputs = function(leaves);
        GradientNode.Backward(() => autograd.backward(outputs, Array.ConvertAll(outputs, output => (output.detach() * 0.5) + 0.25)));
        return [.. outputs.Concat(leaves.Select(leaf => leaf.grad!)).Select(value => value.detach().to(ScalarType.Float32))];
    }

    private static Tensor Part(Tensor vectors, int index) => vectors.chunk(9, dim: 1)[index];

    private static Tensor[] Pair((Tensor First, Tensor Second) tensors) => [tensors.First, tensors.Second];
}
