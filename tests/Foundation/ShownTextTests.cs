using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public class ShownTextTests
{
    [Theory]
    [InlineData("a cat", "a cat")]
    [InlineData("größer 猫 😀", "größer 猫 😀")]
    [InlineData("a\u001b[2Jb\u0007", @"a\u001b[2Jb\u0007")]
    [InlineData("a\u009b2J", @"a\u009b2J")]
    [InlineData("cat\u202egpj.exe", @"cat\u202egpj.exe")]
    [InlineData("a\r\nb\tc\rd", @"a b c\u000dd")]
    public void Line_AnyText_HasNothingThatActsOnATerminal(string text, string shown) => Assert.Equal(shown, ShownText.Line(text));

    [Fact]
    public void Line_LongText_IsCutBetweenCharacters()
    {
        Assert.Equal(new string('a', 200) + "…", ShownText.Line(new string('a', 100_000)));
        Assert.Equal("a…", ShownText.Line("a😀b", 2));
        Assert.Equal(@"\ud800x", ShownText.Line("\ud800x"));
    }

    [Fact]
    public void Lines_LongTextOfLines_KeepsLinesTabsAndLength() =>
        Assert.Equal("a\n\tb\\u001b\n" + new string('c', 1000), ShownText.Lines("a\r\n\tb\u001b\n" + new string('c', 1000)));

    [Fact]
    public void Names_Many_SaysHowManyMore()
    {
        Assert.Equal("a, b", ShownText.Names(["a", "b"]));
        Assert.Equal("a, b and 3 more", ShownText.Names(["a", "b", "c", "d", "e"], 2));
    }
}
