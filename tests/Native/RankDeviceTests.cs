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
    [InlineData("-1", 1, null)]
    public void Visible_LocalRank_IsItsGpu(string? present, int localRank, string? visible) =>
        Assert.Equal(visible, RankDevice.Visible(present, localRank));

    [Fact]
    public void Visible_MoreRanksThanGpus_IsAnError() => Assert.Contains(
        "2 GPUs, and this is local rank 2", Assert.Throws<UsageException>(() => RankDevice.Visible("0,1", 2)).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("generate --device cpu", true)]
    [InlineData("generate --device=cpu", true)]
    [InlineData("generate --device cuda:1", true)]
    [InlineData("generate --device=cuda:1", true)]
    [InlineData("generate --device cuda", false)]
    [InlineData("generate --shard auto", false)]
    public void NamesDevice_CommandLine_IsReadWhole(string line, bool names) =>
        Assert.Equal(names, RankDevice.NamesDevice(line.Split(' ')));

    [Fact]
    public void Choose_OneGpuForAllRanks_IsAnError() => Assert.Throws<UsageException>(
        () => RankDevice.Choose(new RankEnvironment { Rank = 1, Count = 2, LocalRank = 1 }, "cuda:1"));

    [Theory]
    [InlineData(null, "cuda")]
    [InlineData("0,1", "cuda")]
    [InlineData("2, 3,GPU-a", "auto")]
    [InlineData("0", "cpu")]
    [InlineData("-1", "auto")] // all on the processor
    [InlineData("", "auto")]
    public void CheckEnough_TwoRanks_IsTaken(string? present, string device) => RankDevice.CheckEnough(present, 2, device);

    [Theory]
    [InlineData("0", "auto", "'0', 1 GPU:")]
    [InlineData("0,-1,1", "auto", "'0,-1,1', 1 GPU:")]
    [InlineData("-1", "cuda", "'-1', 0 GPUs:")]
    public void CheckEnough_TwoRanksAndFewerGpus_IsAnError(string present, string device, string says)
    {
        var error = Assert.Throws<UsageException>(() => RankDevice.CheckEnough(present, 2, device));
        Assert.Contains($"num_processes is 2, but CUDA_VISIBLE_DEVICES is {says}", error.Message, StringComparison.Ordinal);
    }
}
