using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

public class ShownOutputTests
{
    private static readonly ShownOutput Table = new("display", "text/html", "");
    private static readonly ShownOutput Text = new("display", "", "");

    [Fact]
    public void Differences_SameOutputs_AreNone() =>
        Assert.Empty(ShownOutput.Differences([Table, Stream("a\nb")], [Stream("a\r\n"), Table, Stream("b")]));

    [Fact]
    public void Differences_FailureOnOneSide_IsAllThatIsSaid()
    {
        ShownOutput error = new("error", "", "broken\nat line 1");
        Assert.Equal(["official fails: broken"], ShownOutput.Differences([Table], [Stream("a"), error]));
        Assert.Equal(["own fails: broken"], ShownOutput.Differences([error], [Table]));
        Assert.Empty(ShownOutput.Differences([error], [error with { Text = "broken otherwise" }]));
    }

    [Fact]
    public void Differences_Streams_AreComparedByText() =>
        Assert.Equal(
            ["stdout: official 'other', own 'mine'", "stderr: official '', own 'late'"],
            ShownOutput.Differences([Stream("mine"), Stream("late", "stderr")], [Stream("other")]));

    [Fact]
    public void Differences_Displays_AreComparedByNumberAndTypes()
    {
        Assert.Equal(["official shows 1 values, own 2"], ShownOutput.Differences([Table, Text], [Table]));
        Assert.Equal(["official shows text/plain, own text/html"], ShownOutput.Differences([Table], [Text]));
    }

    private static ShownOutput Stream(string text, string kind = "stdout") => new(kind, "", text);
}
