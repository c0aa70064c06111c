using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class SplitMix64Tests
{
    // The published generator's first outputs from state 0.
    [Fact]
    public void At_SeedZero_GivesThePublishedSequence()
    {
        ulong state = 0;
        ulong[] expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F];
        for (ulong place = 0; place < 3; place++)
        {
            Assert.Equal(expected[place], SplitMix64.Next(ref state));
            Assert.Equal(expected[place], SplitMix64.At(0, place));
        }
    }
}
