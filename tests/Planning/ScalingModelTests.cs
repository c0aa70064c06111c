using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class ScalingModelTests
{
    private static readonly ScalingModel Lora = new() { ComputeMilliseconds = 31.0 };

    [Fact]
    public void AllReduce_TwoRanksOfAHost_IsWhatWasMeasured()
    {
        Assert.Equal(0, Lora.AllReduce(1));
        Assert.Equal(0.072, Lora.AllReduce(2), 0.0005);
        Assert.InRange(Lora.Throughput(2), 1.99, 2);
    }

    [Fact]
    public void AllReduce_ByHand_AgreesForARingAndForTrees()
    {
        var model = Lora with
        {
            GradientBytes = 8000,
            RanksPerHost = 2,
            HostBandwidth = 1e6,
            HostLatency = 1,
            NetworkBandwidth = 1e6,
            NetworkLatency = 2,
        };
        // Two hosts of two: 2 × (4 ms + 1) inside; between them each rank's 4,000 bytes, 2 × (2 ms + 2) in a ring.
        Assert.Equal(10 + 8, model.AllReduce(4), 1e-9);
        // Sixteen hosts: 30 × (0.25 ms + 2) in a ring, 2 × (4 × 2 + 4 ms) over trees.
        Assert.Equal(10 + 24, model.AllReduce(32), 1e-9);
    }

    [Fact]
    public void Speedup_LargerBatches_HelpUpToTheNoiseScaleOnly()
    {
        var free = Lora with { GradientBytes = 0, HostLatency = 0, NetworkLatency = 0 };
        Assert.Equal(1, free.Speedup(1, 1, 64), 1e-9);
        // A batch of the noise scale takes twice the fewest steps, one picture 65 times as many.
        Assert.Equal(65.0 / 2, free.Speedup(64, 1, 64), 1e-9);
        Assert.InRange(free.Speedup(1024, 1, 64), 60, 65);
        Assert.Equal(1024, free.Throughput(1024), 1e-9);
    }
}
