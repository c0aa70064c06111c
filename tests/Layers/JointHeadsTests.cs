using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers;

public sealed class JointHeadsTests
{
    private const long Heads = 3;
    private const long Width = 4;

    [Theory]
    [InlineData(2, 5, 4)]
    [InlineData(1, 5, 0)]
    public void JoinPlainly_QueriesKeysAndValues_AreWhatIsWritten(long batch, long imageTokens, long textTokens)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        random.manual_seed(1);
        Tensor[] image = Streams(imageTokens), text = Streams(textTokens);
        var norms = Enumerable.Range(0, 4).Select(_ => Norm()).ToArray();

        var joint = JointHeads.JoinPlainly(Heads, image, [norms[0], norms[1]], textTokens == 0 ? null : text, [norms[2], norms[3]]);

        for (var i = 0; i < 3; i++)
            GoldenAssert.Close(cat([Written(image[i], i), Written(text[i], 2 + i)], 1), joint[i], 1e-6);

        Tensor[] Streams(long tokens) => [.. Enumerable.Range(0, 3).Select(_ => randn(batch, tokens, Heads * Width))];
        Tensor Written(Tensor x, int norm)
        {
            var heads = x.view(batch, x.shape[1], Heads, Width);
            // The third stream, values, has no norm.
            return ReferenceEquals(x, image[2]) || ReferenceEquals(x, text[2])
                ? heads
                : heads * rsqrt(heads.square().mean([-1], true) + 1e-6) * norms[norm].Weight;
        }
    }

    private static RMSNorm Norm()
    {
        var norm = new RMSNorm(Width, 1e-6, CPU, ScalarType.Float32);
        norm.Weight.copy_(rand(Width) + 0.5);
        return norm;
    }
}
