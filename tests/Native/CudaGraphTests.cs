using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Native;

public class CudaGraphTests
{
    [Fact]
    public void RecorderOf_TheCpu_IsNone() => Assert.Null(CudaGraph.RecorderOf(CPU));

    [Fact]
    public void Capture_OnTheCpu_IsRefusedWithTheDevice()
    {
        var error = Assert.Throws<ArgumentException>(() => CudaGraph.Capture(CPU, () => { }));
        Assert.Contains("cpu", error.Message, StringComparison.Ordinal);
    }
}
