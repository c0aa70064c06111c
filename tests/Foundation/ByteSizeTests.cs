using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public class ByteSizeTests
{
    [Theory]
    [InlineData(12, "12 B")]
    [InlineData(4_200, "4.1 KiB")]
    [InlineData(9_900_000, "9.4 MiB")]
    [InlineData(38_654_705_664, "36.0 GiB")]
    public void Text_AnySize_HasTheUnitThatSuitsIt(long bytes, string text) => Assert.Equal(text, ByteSize.Text(bytes));

    [Theory]
    [InlineData(9_900_000, 70_000_000, "9.4 MiB", "66.8 MiB")]
    [InlineData(1_073_741_825, 1_073_741_824, "1,073,741,825 bytes", "1,073,741,824 bytes")]
    [InlineData(2048, 2048, "2.0 KiB", "2.0 KiB")]
    [InlineData(long.MaxValue, long.MaxValue - 1, "9,223,372,036,854,775,807 bytes", "9,223,372,036,854,775,806 bytes")]
    public void Pair_SizesThatWouldLookEqual_AreSaidInBytes(long one, long other, string first, string second) =>
        Assert.Equal((first, second), ByteSize.Pair(one, other));

    [Fact]
    public void Sum_MoreThanCanBeCounted_IsTheMost()
    {
        Assert.Equal(0, ByteSize.Sum([]));
        Assert.Equal(6, ByteSize.Sum([1, 2, 3]));
        Assert.Equal(long.MaxValue, ByteSize.Sum([long.MaxValue, 0]));
        Assert.Equal(long.MaxValue, ByteSize.Sum([long.MaxValue, 1]));
        Assert.Equal(long.MaxValue, ByteSize.Sum([1, long.MaxValue, long.MaxValue]));
    }
}
