using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Tests.Native;

public sealed class RankDeviceTests
{
    [Theory]
    [InlineData(null, 1, "1")]
    [InlineData("2,3", 1, "3")]
    [InlineData("GPU-a, GPU-b", 0, "GPU-a")]
    [InlineData("0", 1, null)] // one GPU for each process, by its launcher
    [InlineData("", 1, null)]
    public void Visible_LocalRank_IsItsGpu(string? present, int localRank, string? visible) =>
        Assert.Equal(visible, RankDevice.Visible(present, localRank));

    [Fact]
    public void Visible_MoreRanksThanGpus_IsAnError() => Assert.Contains(
        "2 GPUs, and this is local rank 2", Assert.Throws<UsageException>(() => RankDevice.Visible("0,1", 2)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Choose_OneGpuForAllRanks_IsAnError() => Assert.Throws<UsageException>(
        () => RankDevice.Choose(new RankEnvironment { Rank = 1, Count = 2, LocalRank = 1 }, "cuda:1"));
}
