using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public sealed class FlatParametersTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly FeedForward _model = new(6, CPU, ScalarType.Float32);
    private readonly Tensor _input;

    public FlatParametersTests()
    {
        WeightInitializer.Initialize(_model, 3);
        _input = Lab.Tensors.SeededNoise.Normal([4, 6], 5);
    }

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    private FlatParameters Flatten(ScalarType dtype = ScalarType.Float32, Func<string, bool>? isFixed = null) =>
        new([("ff", _model)], CPU, dtype, isFixed);

    [Fact]
    public void Creation_Model_ComputesWhatItDid()
    {
        var before = _model.call(_input);
        using var flat = Flatten();
        Assert.Equal((6 * 24) + 24 + (24 * 6) + 6, flat.Count);
        Assert.True(before.equal(_model.call(_input)).all().item<bool>());
    }

    [Fact]
    public void Creation_Parameters_LieAlignedInEveryElementType()
    {
        using var flat = Flatten(ScalarType.BFloat16);
        foreach (var parameter in _model.parameters())
            Assert.Equal(0, (parameter.storage_offset() * 2) % 128); // bytes of bfloat16
        Assert.True(flat.Length > flat.Count);
    }

    [Fact]
    public void Values_Changed_ChangeTheModel()
    {
        using var flat = Flatten();
        using (no_grad())
            flat.Values.zero_();
        Assert.Equal(0f, _model.call(_input).abs().sum().item<float>());
    }

    [Fact]
    public void Gradients_OfABackwardPass_LieInTheFlatTensor()
    {
        using var flat = Flatten();
        flat.ZeroGradients();
        _model.call(_input).square().sum().backward();
        flat.CollectGradients();
        var expected = _model.Out.Bias!.grad!;
        Assert.True(expected.abs().sum().item<float>() > 0);
        Assert.True(flat.Of(flat.Gradients, "ff")["net.2.bias"].equal(expected).all().item<bool>());
        Assert.Equal(flat.Length - flat.Count, flat.Gradients.eq(0).sum().item<long>());
        _model.call(_input).square().sum().backward();
        Assert.True(expected.allclose(flat.Of(flat.Gradients, "ff")["net.2.bias"]));
        flat.ZeroGradients();
        Assert.Equal(0f, expected.abs().sum().item<float>());
    }

    [Fact]
    public void Bf16_Model_FollowsValuesWhenPublished()
    {
        using var flat = Flatten(ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, _model.In.Weight.dtype);
        using (no_grad())
            flat.Values.fill_(0.25);
        flat.Publish();
        Assert.Equal(0.25f, _model.In.Weight.max().to(ScalarType.Float32).item<float>());
        flat.ZeroGradients();
        _model.call(_input.to(ScalarType.BFloat16)).square().sum().backward();
        flat.CollectGradients();
        Assert.Equal(ScalarType.Float32, flat.Gradients.dtype);
        Assert.True(flat.Gradients.abs().sum().item<float>() > 0);
    }

    [Fact]
    public void Averages_AfterSteps_FollowValuesAndServeMeasurements()
    {
        using var flat = Flatten();
        using (no_grad())
        {
            flat.Averages.zero_();
            flat.Values.fill_(1);
        }

        flat.Average(0.75);
        Assert.True(flat.Averages.allclose(full_like(flat.Averages, 0.25)));
        Assert.Equal(0.25f, flat.WithAverages(() => _model.In.Weight.max().item<float>()));
        Assert.Equal(1f, _model.In.Weight.max().item<float>());
    }

    [Fact]
    public void Fixed_Parameters_AreNotTrained()
    {
        using var flat = Flatten(isFixed: path => path == "ff.net.0.proj.weight");
        Assert.Equal(24 + (24 * 6) + 6, flat.Count);
        Assert.False(_model.In.Weight.requires_grad);
    }

    [Fact]
    public void Load_WhatWasSaved_RestoresBoth()
    {
        using var folder = new TemporaryFolder();
        using var flat = Flatten();
        using (no_grad())
            flat.Averages.mul_(2);
        var (values, averages) = (flat.Values.clone(), flat.Averages.clone());
        flat.Save(folder.Path, "part");
        using (no_grad())
        {
            flat.Values.zero_();
            flat.Averages.zero_();
        }

        flat.Load(folder.Path, "part");
        Assert.True(values.equal(flat.Values).all().item<bool>());
        Assert.True(averages.equal(flat.Averages).all().item<bool>());
        var error = Assert.Throws<LabException>(() => flat.Load(folder.Path, "other"));
        Assert.Contains("other-values-1.safetensors", error.Message, StringComparison.Ordinal);
    }
}
