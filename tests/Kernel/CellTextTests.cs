using Dreambooth.Lab.Kernel;

namespace Dreambooth.Lab.Tests.Kernel;

[Trait("Category", "Kernel")]
public class CellTextTests
{
    [Fact]
    public void Split_References_AreTakenOutAndLinesStay()
    {
        var (directives, code) = CellText.Split("var a = 1;\n#r \"x.dll\"\n#load \"y.csx\"\na");
        Assert.Equal([("#r", "x.dll"), ("#load", "y.csx")], directives);
        Assert.Equal("var a = 1;\n\n\na", code);
    }

    [Fact]
    public void Split_PreprocessorDirectives_StayInTheCode()
    {
        const string Code = "#nullable enable\n#region a\nvar x = 1;\n#endregion";
        Assert.Equal(Code, CellText.Split(Code).Code);
        Assert.Empty(CellText.Split(Code).Directives);
    }

    [Theory]
    [InlineData("var s = @\"\n#!time\n\";")]
    [InlineData("var s = \"\"\"\n#r \"x.dll\"\n\"\"\";")]
    [InlineData("var s = $@\"a\n  #!time {1 + 1}\n\";")]
    public void WithStringsMasked_DirectiveInsideAString_IsHiddenAndComesBack(string code)
    {
        var masked = CellText.WithStringsMasked(code);
        Assert.DoesNotContain('#', masked);
        Assert.Equal(code, CellText.Unmasked(masked));
        Assert.Equal(code, CellText.Split(code).Code);
    }

    [Fact]
    public void WithStringsMasked_DirectivesOfTheCell_Stay() =>
        Assert.Equal("#!time\n1", CellText.WithStringsMasked("#!time\r\n1"));

    [Fact]
    public void WithoutMagics_OtherLanguages_AreBlankAndPositionsStay()
    {
        const string Cell = "#!time\nvar a = 1;\n#!markdown\n# Head\n#!csharp\na";
        var text = CellText.WithoutMagics(Cell);
        Assert.Equal(Cell.Length, text.Length);
        Assert.Equal("var a = 1;", text.Split('\n')[1]);
        Assert.Equal(["", ""], text.Split('\n')[2..4].Select(line => line.Trim()));
        Assert.Equal("a", text.Split('\n')[5]);
    }
}
