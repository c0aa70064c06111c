using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Data;

public sealed class SubjectItemsTests
{
    [Theory]
    [InlineData(3, 5, 5)]
    [InlineData(6, 2, 6)]
    [InlineData(4, 4, 4)]
    public void ClassOf_OneSubject_IsTheItemByTheClassPictures(int instances, int classes, int count)
    {
        var items = new SubjectItems([instances], [0], [classes]);
        Assert.Equal((instances, count), (items.InstanceCount, items.Count));
        Assert.All(Enumerable.Range(0, count), item => Assert.Equal((0, item % classes), items.ClassOf(item)));
    }

    [Fact]
    public void ClassOf_TwoSubjectsOfOneClassAndOneOfAnother_TakesEachSetInTurn()
    {
        // Items 0, 1 and 4, 5, 6 take turns in set 0; items 2 and 3 in set 1.
        var items = new SubjectItems([2, 2, 3], [0, 1, 0], [4, 5]);
        Assert.Equal([0, 0, 1, 1, 2, 2, 2], Enumerable.Range(0, 7).Select(item => items.SubjectOf(item).Subject));
        Assert.Equal([0, 1, 0, 1, 0, 1, 2], Enumerable.Range(0, 7).Select(item => items.SubjectOf(item).Own));
        Assert.Equal([0, 1, 2, 3, 0], new[] { 0, 1, 4, 5, 6 }.Select(item => items.ClassOf(item).Picture));
        Assert.Equal([(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)], new[] { 2, 3, 9, 10, 16 }.Select(items.ClassOf));

        // The fifth picture of set 1 has its turn at item 16: third round, first of that subject.
        Assert.Equal(17, items.Count);
        var seen = Enumerable.Range(0, items.Count).Select(items.ClassOf).Distinct().ToList();
        Assert.Equal(4 + 5, seen.Count);
        Assert.Equal(8, Enumerable.Range(0, items.Count - 1).Select(items.ClassOf).Distinct().Count());
    }

    [Fact]
    public void New_MoreItemsThanAnEpochCanHave_IsRefused()
    {
        var error = Assert.Throws<UsageException>(() => new SubjectItems([2_000_000_000, 2_000_000_000], [], []));
        Assert.Contains("4000000000 items", error.Message, StringComparison.Ordinal);
    }
}
