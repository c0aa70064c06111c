using Dreambooth.Lab.Native;
using TorchSharp;

namespace Dreambooth.Lab.Tests.Native;

public class TorchLibrariesTests
{
    [Fact]
    public void EnsureLoaded_ThisMachine_TensorsCompute()
    {
        var report = TorchLibraries.EnsureLoaded();
        Assert.NotEmpty(report.Loaded);
        using var x = torch.arange(4, torch.float32);
        Assert.Equal(6f, x.sum().item<float>());
    }
}
