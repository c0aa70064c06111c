using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Data;

public sealed class BatchSamplerTests
{
    [Theory]
    [InlineData(10, 4, 3)]
    [InlineData(8, 4, 2)]
    [InlineData(3, 5, 1)]
    [InlineData(1, 1, 1)]
    public void Epoch_AnySizes_HoldsEachItemOnce(int count, int batchSize, int batches)
    {
        var sampler = new BatchSampler(count, batchSize, seed: 3);
        Assert.Equal(batches, sampler.BatchesPerEpoch);
        var epoch = sampler.Epoch(2);
        Assert.Equal(batches, epoch.Count);
        Assert.All(epoch.SkipLast(1), batch => Assert.Equal(batchSize, batch.Length));
        Assert.Equal(Enumerable.Range(0, count), epoch.SelectMany(batch => batch).Order());
    }

    [Fact]
    public void Epoch_VeryManyItems_AreOneArray()
    {
        var sampler = new BatchSampler(3_000_000, 1, seed: 3);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var epoch = sampler.Epoch(0);
        Assert.Single(epoch[2_999_999]);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 12_000_000, 13_000_000);
        Assert.Equal(3_000_000, epoch.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => epoch[3_000_000]);
        Assert.Equal(1, new BatchSampler(int.MaxValue, int.MaxValue, 0).BatchesPerEpoch);
    }

    [Fact]
    public void Epoch_SeedAndNumber_DecideTheOrder()
    {
        int[] Order(ulong seed, int epoch) => [.. new BatchSampler(50, 7, seed).Epoch(epoch).SelectMany(batch => batch)];
        Assert.Equal(Order(1, 0), Order(1, 0));
        Assert.NotEqual(Order(1, 0), Order(1, 1));
        Assert.NotEqual(Order(1, 0), Order(2, 0));
        Assert.NotEqual(Enumerable.Range(0, 50), Order(1, 0));
    }

    // The order is promised not to change: a resumed run depends on it. Worked out by another program.
    [Fact]
    public void Epoch_FixedSeed_KeepsItsOrderForever() =>
        Assert.Equal("5 2 7 6 4 3 0 1", string.Join(' ', new BatchSampler(8, 8, seed: 1234).Epoch(0)[0]));

    [Fact]
    public void Epoch_ManyShuffles_PutEveryItemEverywhereAboutEvenly()
    {
        var counts = new int[5, 5];
        for (var epoch = 0; epoch < 5000; epoch++)
        {
            var order = new BatchSampler(5, 5, 9).Epoch(epoch)[0];
            for (var place = 0; place < 5; place++)
                counts[place, order[place]]++;
        }

        Assert.All(counts.Cast<int>(), count => Assert.InRange(count, 870, 1130));
    }

    [Fact]
    public void Epoch_NoShuffle_KeepsTheOrder() =>
        Assert.Equal([[0, 1], [2]], new BatchSampler(3, 2, 1, shuffle: false).Epoch(4));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void Constructor_NumbersBelowOne_AreRefused(int count, int batchSize) =>
        Assert.Throws<LabException>(() => new BatchSampler(count, batchSize, 1));

    [Fact]
    public void Epoch_Groups_GiveBatchesOfOneGroupInMixedOrder()
    {
        int[] groups = [.. Enumerable.Range(0, 30).Select(item => item % 3 == 0 ? 0 : item % 7 == 0 ? 1 : 2)];
        var sampler = new BatchSampler(30, 4, seed: 5, groups: groups);
        var epoch = sampler.Epoch(0);
        Assert.Equal(epoch.Count, sampler.BatchesPerEpoch);
        Assert.Equal(groups.GroupBy(group => group).Sum(group => (group.Count() + 3) / 4), epoch.Count);
        Assert.Equal(Enumerable.Range(0, 30), epoch.SelectMany(batch => batch).Order());
        Assert.All(epoch, batch => Assert.Single(batch.Select(item => groups[item]).Distinct()));
        Assert.NotEqual(epoch.Select(batch => groups[batch[0]]).Order(), epoch.Select(batch => groups[batch[0]]));
        Assert.Equal(new BatchSampler(30, 4, seed: 5).Epoch(3), new BatchSampler(30, 4, seed: 5, groups: new int[30]).Epoch(3));
    }
}
