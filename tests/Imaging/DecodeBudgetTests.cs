using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public class DecodeBudgetTests
{
    [Fact]
    public async Task Run_ManyAtOnce_NeverTakesMoreThanTheBudget()
    {
        var budget = new DecodeBudget(100);
        var gate = new object();
        var (taken, most, alone) = (0L, 0L, true);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => budget.Run(Needs(i), () =>
        {
            var part = Math.Min(Needs(i), 100);
            lock (gate)
            {
                taken += part;
                most = Math.Max(most, taken);
                alone &= Needs(i) < 100 || taken == 100;
            }

            Thread.Yield();
            lock (gate)
                taken -= part;
            return i;
        }))));
        Assert.Equal(0, taken);
        Assert.InRange(most, 60, 100);
        Assert.True(alone, "what takes all of the budget runs alone");

        static long Needs(int i) => i % 8 == 0 ? 1_000 : 30;
    }

    [Fact]
    public void Run_WorkThatFails_GivesItsPartBack()
    {
        var budget = new DecodeBudget(10);
        Assert.Throws<InvalidOperationException>(() => budget.Run<int>(10, () => throw new InvalidOperationException()));
        Assert.Equal(3, budget.Run(10, () => 3));
    }
}
