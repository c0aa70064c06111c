using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class SeededRandomTests
{
    [Fact]
    public void NextBits_SeedAndStream_GiveFixedNumbers()
    {
        var random = new SeededRandom(42, 7);
        var numbers = new[] { random.NextBits(), random.NextBits(), random.NextBits() };

        var again = new SeededRandom(42, 7);
        Assert.Equal(numbers, new[] { again.NextBits(), again.NextBits(), again.NextBits() });
        Assert.NotEqual(numbers[0], new SeededRandom(42, 8).NextBits());
        Assert.NotEqual(numbers[0], new SeededRandom(43, 7).NextBits());
    }

    [Fact]
    public void Mix_Zero_EqualsPublishedFirstOutputOfSplitMix64() =>
        Assert.Equal(0xE220A8397B1DCDAFUL, SeededRandom.Mix(0));

    [Fact]
    public void NextDouble_ManyDraws_AreUniform()
    {
        var random = new SeededRandom(1);
        var counts = new int[10];
        for (var i = 0; i < 20_000; i++)
            counts[(int)(random.NextDouble() * 10)]++;
        Assert.All(counts, count => Assert.InRange(count, 1800, 2200));
    }

    [Fact]
    public void Range_LowAndHigh_StaysWithin()
    {
        var random = new SeededRandom(2);
        for (var i = 0; i < 2000; i++)
            Assert.InRange(random.Range(-3, 5), -3, 5);
    }
}
