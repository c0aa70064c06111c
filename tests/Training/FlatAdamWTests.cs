using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class FlatAdamWTests
{
    private static readonly ParameterGroup[] Groups = [new(0, 30, 5e-3, 1e-2), new(30, 20, 1e-3, 1e-1), new(50, 14, 2e-3)];

    [Fact]
    public void Step_ManySteps_EqualsTorchsAdamWOnSeparateParameters()
    {
        using var scope = NewDisposeScope();
        var (parameters, gradients) = (Values(1), zeros(64));
        var separate = Groups.Select(group => new Parameter(parameters.narrow(0, group.Offset, group.Length).clone())).ToArray();
        using var reference = optim.AdamW(Groups.Select((group, index) => new TorchSharp.Modules.AdamW.ParamGroup(
            [separate[index]],
            new TorchSharp.Modules.AdamW.Options { LearningRate = group.LearningRate, weight_decay = group.WeightDecay })));
        using var flat = new FlatAdamW(parameters, gradients, Groups);
        for (ulong step = 0; step < 25; step++)
        {
            gradients.copy_(Values(100 + step) * (step % 7 == 0 ? 0 : 1));
            for (var index = 0; index < Groups.Length; index++)
                separate[index].grad = gradients.narrow(0, Groups[index].Offset, Groups[index].Length).clone();
            flat.Step();
            reference.step();
        }

        Assert.Equal(25, flat.StepCount);
        GoldenAssert.Close(cat([.. separate.Select(parameter => parameter.detach())]), parameters, 2e-7, "parameters");
        Assert.True(GoldenAssert.RelativeError(Values(1), parameters) > 1e-2, "the parameters hardly moved");
    }

    [Fact]
    public void Step_FirstStep_MovesByTheRateAgainstTheGradientsSign()
    {
        using var scope = NewDisposeScope();
        var parameters = tensor([1f, 2f, -3f]);
        using var optimizer = new FlatAdamW(parameters, tensor([0.5f, -2f, 0f]), [new(0, 3, 0.1)]);
        optimizer.Step(0.5);
        Assert.Equal([0.95f, 2.05f, -3f], parameters.data<float>().ToArray());
    }

    [Fact]
    public void Step_FactorZero_MovesNothingButTheMoments()
    {
        using var scope = NewDisposeScope();
        var parameters = Values(1);
        var before = parameters.clone();
        using var optimizer = new FlatAdamW(parameters, Values(2), Groups);
        optimizer.Step(0);
        GoldenAssert.Exact(before, parameters);
        Assert.True(optimizer.StateDict()["exp_avg"].abs().sum().item<float>() > 0);
    }

    [Fact]
    public void Step_ElementsOutsideTheGroups_AreLeftAlone()
    {
        using var scope = NewDisposeScope();
        var parameters = ones(10);
        using var optimizer = new FlatAdamW(parameters, ones(10), [new(2, 3, 0.1, 0.1), new(7, 1, 0.1)]);
        optimizer.Step();
        Assert.Equal([0, 0, 1, 1, 1, 0, 0, 1, 0, 0], parameters.data<float>().Select(value => value == 1f ? 0 : 1));
    }

    [Fact]
    public void Step_ParametersRequireGradients_ViewsSeeTheChange()
    {
        using var scope = NewDisposeScope();
        var parameters = ones(6);
        var view = parameters.narrow(0, 2, 4).view(2, 2).detach().requires_grad_();
        using var optimizer = new FlatAdamW(parameters, ones(6), [new(0, 6, 0.25)]);
        optimizer.Step();
        Assert.Equal(0.75f, view[0, 0].item<float>(), 1e-6f);
    }

    [Fact]
    public void LoadStateDict_StateOfHalfARun_GoesOnAsIfUninterrupted()
    {
        using var scope = NewDisposeScope();
        var (whole, wholeGradients, resumed, resumedGradients) = (Values(1), zeros(64), zeros(64), zeros(64));
        using var first = new FlatAdamW(whole, wholeGradients, Groups);
        using var second = new FlatAdamW(resumed, resumedGradients, Groups);
        for (ulong step = 0; step < 10; step++)
        {
            if (step == 5)
            {
                second.LoadStateDict(first.StateDict());
                resumed.copy_(whole);
            }

            wholeGradients.copy_(Values(50 + step));
            resumedGradients.copy_(Values(50 + step));
            first.Step();
            if (step >= 5)
                second.Step();
        }

        GoldenAssert.Exact(whole, resumed);
    }

    [Fact]
    public void LoadStateDict_WrongEntries_NamesThemAllAndChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new FlatAdamW(Values(1), Values(2), Groups);
        optimizer.Step();
        var error = Assert.Throws<LabException>(() => optimizer.LoadStateDict(new Dictionary<string, Tensor>
        {
            ["step"] = tensor(7L),
            ["exp_avg"] = zeros(3),
            ["more"] = zeros(1),
        }));
        Assert.Contains(
            "'exp_avg' is Float32 [3] instead of Float32 [64]; 'exp_avg_sq' is missing; 'more' is unexpected", error.Message,
            StringComparison.Ordinal);
        Assert.Equal(1, optimizer.StepCount);
    }

    [Fact]
    public void Undo_AfterAStep_RestoresParametersMomentsAndCount()
    {
        using var scope = NewDisposeScope();
        var (once, twice, gradients) = (Values(1), Values(1), Values(2));
        using var first = new FlatAdamW(once, gradients, Groups);
        using var second = new FlatAdamW(twice, gradients, Groups);
        first.Step();
        second.Step();
        second.Remember();
        second.Step(1e308);
        Assert.False(float.IsFinite(second.Largest()[0].item<float>()));
        second.Undo();
        Assert.Equal(1, second.StepCount);
        GoldenAssert.Exact(once, twice);
        first.Step();
        second.Step();
        GoldenAssert.Exact(once, twice);
    }

    [Theory]
    [InlineData(1e308, 1e-4, 1e-8, 1f, "LearningRate")]
    [InlineData(1e100, 0.0, 1e-8, 1f, "LearningRate")]
    [InlineData(1e-3, 1e300, 1e-8, 1f, "WeightDecay")]
    [InlineData(1.0, 1e39, 1e-8, 1f, "WeightDecay")]
    [InlineData(1e-3, 1e-4, 1e-50, 1f, "Epsilon")]
    [InlineData(1e-3, 1e-4, 1e-8, 1e30f, "SquaredGradient")]
    public void FaultOf_StepThatEndsBeyondFloat32_NamesTheCause(double rate, double decay, double epsilon, float gradient, string fault)
    {
        using var scope = NewDisposeScope();
        using var optimizer = new FlatAdamW(
            tensor([1f, 2f]), tensor([gradient, 0f]), [new(0, 2, rate, decay)], new() { Epsilon = epsilon });
        optimizer.Remember();
        optimizer.Step();
        Assert.Contains(optimizer.Largest().data<float>().ToArray(), value => !float.IsFinite(value));
        Assert.Equal(fault, optimizer.FaultOf(optimizer.Groups[0], 1).ToString());
        optimizer.Undo();
        Assert.Equal([2f, 0f], optimizer.Largest().data<float>().ToArray());
    }

    [Fact]
    public void LoadStateDict_MomentsThatAreNotFinite_AreRefused()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new FlatAdamW(Values(1), Values(2), Groups);
        var state = new Dictionary<string, Tensor>(optimizer.StateDict()) { ["exp_avg_sq"] = full([64], float.PositiveInfinity) };
        var error = Assert.Throws<NonFiniteException>(() => optimizer.LoadStateDict(state));
        Assert.Contains("'exp_avg_sq' is not finite in 64 of its 64 values", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_AnyStep_LeavesNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        var (parameters, gradients) = (Values(1), Values(2));
        using var optimizer = new FlatAdamW(parameters, gradients, Groups);
        Assert.Equal(0, Lab.Tests.Tensors.LiveTensors.LeftBy(() =>
        {
            optimizer.Remember();
            optimizer.Step();
            optimizer.Largest().Dispose();
        }));
    }

    [Fact]
    public void Construct_InADisposeScope_KeepsItsMoments()
    {
        using var scope = NewDisposeScope();
        var (parameters, gradients) = (Values(1), Values(2));
        FlatAdamW optimizer;
        using (NewDisposeScope())
            optimizer = new FlatAdamW(parameters, gradients, Groups);
        using (optimizer)
            optimizer.Step();
        Assert.Equal(1, optimizer.StepCount);
    }

    [Theory]
    [InlineData(0, 65)]
    [InlineData(-1, 3)]
    [InlineData(29, 3)]
    [InlineData(60, 0)]
    public void Construct_GroupOutsideOrOverlapping_Refuses(long offset, long length)
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => new FlatAdamW(Values(1), Values(2), [new(0, 30, 1), new(offset, length, 1)]));
    }

    private static Tensor Values(ulong seed) => Lab.Tensors.SeededNoise.Normal([64], seed);
}
