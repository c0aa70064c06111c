using Dreambooth.Lab.Layers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Layers;

public sealed class InputDropoutTests
{
    private const double Probability = 0.3;

    [Fact]
    public void Apply_AtAPosition_LeavesOutTheSharesAndKeepsTheMean()
    {
        using var scope = NewDisposeScope();
        using var dropout = new InputDropout(Probability, 5, CPU) { IsOn = true };
        var update = Update();
        dropout.MoveTo(3);
        var values = dropout.Apply(ones(400, 250), update);
        // 100,000 draws: the share's standard deviation is 0.0014.
        Assert.Equal(Probability, values.eq(0).to(ScalarType.Float64).mean().item<double>(), 0.006);
        Assert.Equal((float)(1 / (1 - Probability)), values.max().item<float>(), 1e-6f);
        Assert.InRange(values.narrow(0, 0, 1).eq(0).to(ScalarType.Float64).mean().item<double>(), 0.15, 0.45);
    }

    [Fact]
    public void Apply_Again_LeavesOutTheSame()
    {
        using var scope = NewDisposeScope();
        using var dropout = new InputDropout(Probability, 5, CPU) { IsOn = true };
        var (update, other) = (Update(), Update());
        other.Number = 1;
        dropout.MoveTo(3);
        var first = dropout.Apply(ones(20, 50), update);
        Assert.False(Same(first, dropout.Apply(ones(20, 50), other)));
        dropout.MoveTo(4);
        Assert.False(Same(first, dropout.Apply(ones(20, 50), update)));
        dropout.MoveTo(3);
        Assert.True(Same(first, dropout.Apply(ones(20, 50), update)));
        using var resumed = new InputDropout(Probability, 5, CPU) { IsOn = true };
        resumed.MoveTo(3);
        Assert.True(Same(first, resumed.Apply(ones(20, 50), update)));
    }

    [Fact]
    public void Apply_OutsideTraining_LeavesTheInputAsItIs()
    {
        using var scope = NewDisposeScope();
        using var dropout = new InputDropout(Probability, 5, CPU);
        var input = ones(3, 4);
        Assert.Same(input, dropout.Apply(input, Update()));
    }

    private static bool Same(Tensor one, Tensor other) => one.eq(other).all().item<bool>();

    private static LoraWeights Update() => new("a", zeros(2, 50), zeros(8, 2), 1);
}
