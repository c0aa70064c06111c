using Dreambooth.Lab.Kernel.Magics;

namespace Dreambooth.Lab.Tests.Kernel.Magics;

[Trait("Category", "Kernel")]
public sealed class CellPartsTests
{
    [Fact]
    public void Split_MagicBeforeCode_KeepsLineNumbers()
    {
        var parts = CellParts.Split("#!time\nvar a = 1;");
        Assert.Equal("time", parts[0].Magic);
        Assert.Equal("\nvar a = 1;", parts[1].Text);
    }

    [Fact]
    public void Split_References_ComeFirst()
    {
        var parts = CellParts.Split("var a = 1;\n#r \"nuget: X, 1\"\na");
        Assert.Equal(("#r", "nuget: X, 1", 2), (parts[0].Magic, parts[0].Arguments, parts[0].Line));
        Assert.Equal("var a = 1;\n\na", parts[1].Text);
    }

    [Fact]
    public void Split_LanguageMagic_TakesTheLinesUntilTheNext()
    {
        var parts = CellParts.Split("#!markdown\n# Head\n#!csharp\n1");
        Assert.Equal(("markdown", "# Head"), (parts[0].Magic, parts[0].Text));
        Assert.Equal("\n\n\n1", parts[1].Text);
    }

    [Theory]
    [InlineData("var s = @\"\n#!time\n\";")]
    [InlineData("var s = \"\"\"\n#r \"x.dll\"\n\"\"\";")]
    [InlineData("var s = $@\"a\n#!time {1 + 1}\n\";")]
    public void Split_MagicInsideAString_IsText(string code) => Assert.Equal([code], CellParts.Split(code).Select(p => p.Text));

    [Theory]
    [InlineData("")]
    [InlineData("  \n ")]
    public void Split_EmptyCell_HasNoParts(string code) => Assert.Empty(CellParts.Split(code));

    [Fact]
    public void Split_PreprocessorDirectives_StayInTheCode() => Assert.Single(CellParts.Split("#nullable enable\n#region a\nvar x = 1;\n#endregion"));
}
