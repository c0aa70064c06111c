using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers;

public sealed class Float8RowsTests : IDisposable
{
    private static readonly double[] Magnitudes = [.. Float8.E4M3.Values.Take(127).Select(value => (double)value)];

    private readonly DisposeScope _scope;

    public Float8RowsTests()
    {
        TorchLibraries.EnsureLoaded();
        _scope = NewDisposeScope();
        manual_seed(8);
    }

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Of_EveryRow_HasTheNearestCodesOfItsScale(ScalarType dtype)
    {
        // Rows of very different sizes, and values over the whole range of the format.
        var input = (randn(6, 64) * pow(tensor(10f), randn(6, 64).mul(2))).mul(pow(tensor(10f), arange(-3, 3).to(float32)).unsqueeze(1))
            .to(dtype);
        var rows = Float8Rows.Of(input);
        var values = input.to(ScalarType.Float32).data<float>().ToArray();
        var codes = rows.Codes.to(ScalarType.Float32).data<float>().ToArray();
        var scales = rows.Scales.data<float>().ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            var row = values.AsSpan(i / 64 * 64, 64).ToArray();
            var largest = row.Max(Math.Abs);
            Assert.Equal(largest * (1 / 448f), scales[i / 64]);
            Assert.Equal(Nearest(values[i] * (448f / largest)), codes[i]);
        }

        Assert.Equal(6, codes.Count(code => Math.Abs(code) == 448));
    }

    [Fact]
    public void Of_Gelu_IsThatOfTheValues()
    {
        var input = randn(3, 5, 32);
        var direct = Float8Rows.Of(nn.functional.gelu(input, TorchSharp.Modules.GELU.Approximate.tanh));
        Assert.Equal([15, 32], direct.Codes.shape);
        Assert.Equal(Numbers(direct.Decode()), Numbers(Float8Rows.Of(input, gelu: true).Decode()));
    }

    [Fact]
    public void Of_ZerosAndNonFiniteValues_StayWhatTheyAre()
    {
        var input = stack([zeros(32), ones(32), ones(32)]);
        input[1, 3] = float.NaN;
        input[2, 4] = float.PositiveInfinity;
        var decoded = Float8Rows.Of(input).Decode();
        Assert.All(Numbers(decoded[0]), value => Assert.Equal(0f, value));
        Assert.True(float.IsNaN(decoded[1, 3].item<float>()));
        Assert.False(float.IsFinite(decoded[2, 4].item<float>()));
    }

    [Fact]
    public void Times_RandomMatrices_IsWithinTheFormatsError()
    {
        var (x, weight, bias) = (randn(40, 96), randn(48, 96), randn(48));
        var (rows, columns) = (Float8Rows.Of(x), Float8Rows.Of(weight));
        var exact = nn.functional.linear(x.to(float64), weight.to(float64), bias.to(float64));
        var result = rows.Times(columns, bias, ScalarType.Float32).to(float64);
        var (ofX, ofWeight) = (Bound(x, rows), Bound(weight, columns));
        var bound = ofX.mm(weight.abs().to(float64).t()) + x.abs().to(float64).mm(ofWeight.t()) + ofX.mm(ofWeight.t()) + 1e-4;
        Assert.True((result - exact).abs().le(bound).all().item<bool>());
        Assert.InRange(GoldenAssert.RelativeError(result, exact), 1e-3, 5e-2);
    }

    [Fact]
    public void Quantize_Layer_ComputesWithTheRoundedWeightAndLoraBeside()
    {
        var layer = Layer(out var weight);
        var input = randn(2, 7, 32);
        layer.Attach(new LoraWeights("a", randn(4, 32), randn(48, 4), 0.5));
        layer.Quantize();
        var rounded = Float8Rows.Of(weight);
        Assert.Equal(Numbers(rounded.Decode()), Numbers(layer.Original()));
        Assert.Equal((1L, 48L), (layer.Weight.element_size(), layer.OutFeatures));
        var update = (LoraWeights)layer.Adapters[0];
        var expected = Float8Rows.Of(input).Times(rounded, layer.Bias, ScalarType.Float32).view(2, 7, 48)
            + (0.5 * input.matmul(update.A.t()).matmul(update.B.t()));
        GoldenAssert.Close(expected, layer.call(input), 1e-5, "the layer");
        var refusal = Assert.Throws<LabException>(() => layer.Fuse(update, 1));
        Assert.Contains("cannot be fused with weights in fp8", refusal.Message, StringComparison.Ordinal);
        layer.Detach("a");
        var together = LoraLinear.Run(input, layer, layer);
        Assert.Equal(Numbers(layer.call(input)), Numbers(together[1]));
    }

    [Fact]
    public void Assign_WeightsThatComeAndGo_AreTheSameEachTime()
    {
        var layer = Layer(out var weight);
        layer.Quantize();
        var input = randn(3, 32);
        var before = Numbers(layer.call(input));
        var codes = layer.Weight.detach().clone();
        StateDictLoader.Release(layer);
        layer.Assign("bias", zeros(48));
        layer.Assign("weight", codes.DetachFromDisposeScope());
        Assert.Equal(before, Numbers(layer.call(input)));
        layer.Assign("weight", weight.clone());
        Assert.Equal(before, Numbers(layer.call(input)));
    }

    [Fact]
    public void FeedForward_Quantized_IsTheSameWithAnAdapterThatAddsNothing()
    {
        var feedForward = new FeedForward(32, CPU, ScalarType.Float32);
        foreach (var layer in (LoraLinear[])[feedForward.In, feedForward.Out])
        {
            layer.Assign("weight", randn(layer.OutFeatures, layer.InFeatures).mul_(0.1));
            layer.Assign("bias", randn(layer.OutFeatures));
        }

        var input = randn(2, 5, 32);
        var exact = feedForward.call(input);
        feedForward.In.Quantize();
        feedForward.Out.Quantize();
        var result = feedForward.call(input);
        Assert.InRange(GoldenAssert.RelativeError(result, exact), 1e-3, 5e-2);
        feedForward.Out.Attach(new LoraWeights("a", randn(4, 128), zeros(32, 4), 1));
        Assert.Equal(Numbers(result), Numbers(feedForward.call(input)));
    }

    [Fact]
    public void Run_Quantized_LeavesNoTensor()
    {
        var layer = Layer(out _);
        layer.Quantize();
        var input = randn(3, 32);
        layer.call(input).Dispose();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        layer.call(input).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static LoraLinear Layer(out Tensor weight)
    {
        var layer = new LoraLinear(32, 48, bias: true, CPU, ScalarType.Float32);
        weight = randn(48, 32);
        layer.Assign("weight", weight.clone());
        layer.Assign("bias", zeros(48));
        return layer;
    }

    // Half of the last place: a 16th of a value, and no less than a 1024th of the scale.
    private static Tensor Bound(Tensor values, Float8Rows rows) =>
        maximum(values.abs() / 16, rows.Scales / 1024).to(float64).mul(1 + 1e-5);

    private static float Nearest(float value)
    {
        var magnitude = Math.Abs((double)value);
        // Ties go to the even code.
        var code = Enumerable.Range(0, Magnitudes.Length).OrderBy(i => Math.Abs(Magnitudes[i] - magnitude)).ThenBy(i => i % 2).First();
        return (float)Math.CopySign(Magnitudes[code], value);
    }

    private static float[] Numbers(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
}
