using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class TurnedRowsTests
{
    [Fact]
    public void Turn_RowsOfAnyLength_PutsBytesOfOnePlaceSideBySide()
    {
        for (var length = 1; length <= 35; length++)
        {
            var rows = new byte[TurnedRows.Count * length];
            new Random(length).NextBytes(rows);
            var turned = new byte[rows.Length];
            TurnedRows.Turn(rows, turned);
            for (var i = 0; i < rows.Length; i++)
                Assert.Equal(rows[i], turned[(i % length * TurnedRows.Count) + (i / length)]);
            var back = new byte[rows.Length];
            TurnedRows.TurnBack(turned, back);
            Assert.Equal(rows, back);
        }
    }

    [Fact]
    public void Turn_OtherLength_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => TurnedRows.Turn(new byte[16], new byte[24]));
}
