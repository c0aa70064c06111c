using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers.Fused;

[Trait("Category", "Parity")]
public sealed class LoraProjectionTests
{
    private const long Width = 12;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_SeveralTrainedLayers_OutputsAndGradientsAreThoseOfEachByItself(bool inputIsTrained)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(3);
        var layers = new[] { Layer(8, 2, 0.5), Layer(8, 3, 1), Layer(20, 1, 2) };
        var input = randn(2, 5, Width).Here();
        var weights = layers.Select(layer => randn(2, 5, layer.OutFeatures).Here()).ToArray();

        var together = Gradients(input, inputIsTrained, layers, weights, rows => LoraLinear.Run(rows, layers));
        var apart = Gradients(input, inputIsTrained, layers, weights, rows => [.. layers.Select(layer => Written(layer, rows))]);

        Assert.Equal(apart.Count, together.Count);
        Assert.All(apart.Zip(together), pair => GoldenAssert.Close(pair.First, pair.Second, 1e-5, "a value"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Trained_SeveralLayers_EqualsThePlainLayers(bool inputIsTrained)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(5);
        var layers = new[] { Layer(8, 2, 0.5), Layer(8, 3, 1), Layer(20, 1, 2) };
        var input = randn(2, 5, Width).Here();
        var weights = layers.Select(layer => randn(2, 5, layer.OutFeatures).Here()).ToArray();

        var trained = Gradients(input, inputIsTrained, layers, weights, rows => LoraProjection.Trained(rows, layers)!);
        var plain = Gradients(input, inputIsTrained, layers, weights, rows => Array.ConvertAll(layers, layer => layer.Plain(rows)));

        Assert.All(
            plain.Zip(trained, (expected, actual) => (expected, actual)),
            pair => GoldenAssert.Close(pair.expected, pair.actual, 1e-5, "a value"));
        using var noGradients = no_grad();
        Assert.Null(LoraProjection.Trained(input, layers));
    }

    [Fact]
    public void Run_AnOutputThatNobodyUses_ItsMatricesHaveNoGradient()
    {
        using var scope = NewDisposeScope();
        var layers = new[] { Layer(8, 2, 1), Layer(8, 2, 1) };

        LoraLinear.Run(randn(3, Width).Here(), layers)[1].sum().backward();

        Assert.Equal(0, Of(layers[0], 0).A.grad!.abs().max().item<float>());
        Assert.True(Of(layers[1], 0).A.grad!.abs().max().item<float>() > 0);
    }

    [Theory]
    [InlineData(0.7)]
    [InlineData(0)]
    public void Run_SeveralUpdatesOnALayer_AddsThoseThatAreOn(double scale)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(4);
        var layers = new[] { Layer(8, 2, 0.5), Layer(8, 3, 1), Layer(20, 1, 2) };
        layers[1].Attach(Update("b", 4, 8, scale));
        var input = randn(2, 5, Width).Here();
        var weights = layers.Select(layer => randn(2, 5, layer.OutFeatures).Here()).ToArray();

        var together = Gradients(input, true, layers, weights, rows => LoraLinear.Run(rows, layers));
        var apart = Gradients(input, true, layers, weights, rows => [.. layers.Select(layer => Written(layer, rows))]);

        Assert.Equal(apart.Count, together.Count);
        Assert.All(apart.Zip(together), pair => GoldenAssert.Close(pair.First, pair.Second, 1e-5, "a value"));
        Assert.Equal(scale == 0, Of(layers[1], 1).A.grad is null);
    }

    [Fact]
    public void Run_ABiasThatIsTrained_HasItsGradient()
    {
        using var scope = NewDisposeScope();
        var layer = Layer(8, 2, 1);
        layer.Bias!.requires_grad_(true);

        LoraLinear.Run(randn(3, Width).Here(), layer)[0].sum().backward();

        Assert.Equal(3, layer.Bias.grad!.mean().item<float>());
        Assert.True(Of(layer).B.grad!.abs().max().item<float>() > 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_NoRows_GivesNone(bool trained)
    {
        using var scope = NewDisposeScope();
        using var gradients = set_grad_enabled(trained);
        Assert.Equal([2, 0, 8], LoraLinear.Run(zeros(2, 0, Width).Here(), Layer(8, 2, 1))[0].shape);
    }

    private static List<Tensor> Gradients(
        Tensor input, bool inputIsTrained, LoraLinear[] layers, Tensor[] weights, Func<Tensor, Tensor[]> run)
    {
        var matrices = layers.SelectMany(layer => layer.Adapters).Cast<LoraWeights>().Where(update => update.Scale != 0)
            .SelectMany(update => new[] { update.A, update.B }).ToArray();
        foreach (var matrix in matrices)
            matrix.grad = null;
        var rows = input.clone().requires_grad_(inputIsTrained);
        var outputs = run(rows);
        outputs.Select((output, i) => (output * weights[i]).sum()).Aggregate((sum, term) => sum + term).backward();
        return [.. outputs.Select(output => output.detach()), .. matrices.Select(matrix => matrix.grad!.clone()),
            .. inputIsTrained ? new[] { rows.grad! } : []];
    }

    private static LoraWeights Of(LoraLinear layer, int update = 0) => (LoraWeights)layer.Adapters[update];

    // The formula as it is published.
    private static Tensor Written(LoraLinear layer, Tensor rows) => layer
        .Adapters.Cast<LoraWeights>().Where(update => update.Scale != 0).Aggregate(
        matmul(rows, layer.Weight.t()) + layer.Bias!,
        (sum, update) => sum + (matmul(matmul(rows, update.A.t()), update.B.t()) * update.Scale));

    private static LoraLinear Layer(long outFeatures, long rank, double scale)
    {
        var layer = new LoraLinear(Width, outFeatures, true, TestDevice.Device, ScalarType.Float32);
        using (no_grad())
        {
            foreach (var parameter in layer.parameters())
                parameter.copy_(randn(parameter.shape) * 0.3);
        }

        layer.Attach(Update("a", rank, outFeatures, scale));
        return layer;
    }

    private static LoraWeights Update(string name, long rank, long outFeatures, double scale) =>
        new(name, randn(rank, Width).Here().requires_grad_(true), randn(outFeatures, rank).Here().requires_grad_(true), scale);
}
