using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers;

public sealed class PerturbedAttentionTests
{
    private const int Heads = 2;
    private const int HeadWidth = 4;
    private const int Width = Heads * HeadWidth;

    [Fact]
    public void Forward_Perturbed_LetsImageTokensSeeThemselvesAndTheText()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var attention = new JointAttention(Heads, HeadWidth, withText: true, contextPreOnly: false, qkNorm: false, CPU, float32);
        using var generator = new Generator(3, CPU);
        foreach (var parameter in attention.parameters())
            parameter.copy_(randn(parameter.shape, generator: generator) * 0.5);
        var (image, text) = (randn([1, 3, Width], generator: generator), randn([1, 2, Width], generator: generator));
        var plain = attention.call(image, text);

        attention.IsPerturbed = true;
        var (imageOutput, textOutput) = attention.call(image, text);

        GoldenAssert.Close(plain.Text!, textOutput!, 1e-5, "text");
        for (var token = 0; token < 3; token++)
        {
            // Alone in its picture, a token sees itself and the text.
            attention.IsPerturbed = false;
            var alone = attention.call(image.narrow(1, token, 1), text).Image;
            GoldenAssert.Close(alone, imageOutput.narrow(1, token, 1), 1e-5, $"token {token}");
        }

        Assert.True(GoldenAssert.RelativeError(plain.Image, imageOutput) > 0.01);
    }
}
