using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class WeightsOnDemandTests : IDisposable
{
    private readonly LoraLinear _linear;
    private readonly List<string> _loads = [];

    public WeightsOnDemandTests()
    {
        TorchLibraries.EnsureLoaded();
        _linear = new LoraLinear(3, 2, true, META, ScalarType.Float32);
    }

    public void Dispose() => _linear.Dispose();

    private bool IsThere => _linear.Weight.device_type == DeviceType.CPU && _linear.Bias!.device_type == DeviceType.CPU;

    [Fact]
    public void Hold_SeveralHolders_LoadsOnceAndFreesBehindTheLast()
    {
        var weights = new WeightsOnDemand(_linear, Load);
        Assert.False(IsThere);
        var first = weights.Hold();
        var second = weights.Hold();
        Assert.True(IsThere);
        first.Dispose();
        first.Dispose();
        Assert.True(IsThere);
        second.Dispose();
        Assert.False(IsThere);
        Assert.Equal([2L, 3L], _linear.Weight.shape);
        weights.Hold().Dispose();
        Assert.Equal(2, _loads.Count);
    }

    [Fact]
    public void Hold_LoadingFailsHalfWay_FreesWhatCame()
    {
        var weights = new WeightsOnDemand(_linear, () =>
        {
            Load();
            throw new InvalidOperationException("no memory");
        });
        Assert.Throws<InvalidOperationException>(weights.Hold);
        Assert.False(IsThere);
    }

    [Fact]
    public void Hold_AndLetGo_LeavesNoTensors()
    {
        var weights = new WeightsOnDemand(_linear, Load);
        Assert.Equal(0, LiveTensors.LeftBy(() => weights.Hold().Dispose()));
    }

    private void Load()
    {
        _loads.Add("load");
        _linear.Assign("weight", ones(2, 3));
        _linear.Assign("bias", ones(2));
    }
}
