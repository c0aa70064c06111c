using System.Text;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public class PromptFoldersTests
{
    [Theory]
    [InlineData(
        2, "a photo of gmc cat playfully hiding in a cardboard box, candid, natural light",
        "002_a photo of gmc cat playfully hiding in a cardboard box_ candid_ natural light")]
    [InlineData(
        3, "a surreal tableau of gmc cat in the style of Salvador Dalí", "003_a surreal tableau of gmc cat in the style of Salvador Dalí")]
    [InlineData(5, "a ukiyo-e print of gmc_cat", "005_a ukiyo-e print of gmc_cat")]
    [InlineData(0, "猫 №5 ½ Ⅷ x² é e\u0301 ✨ 🐈", "000_猫 _5 ½ Ⅷ x² é e_ _ _")]
    [InlineData(1234, "../../etc", "1234_______etc")]
    [InlineData(7, "", "007_")]
    public void FolderName_Prompt_IsTheTutorials(int index, string prompt, string expected) =>
        Assert.Equal(expected, PromptFolders.FolderName(index, prompt));

    [Fact]
    public void SafeName_LongPrompt_IsCutTo80CharactersThenTrimmed()
    {
        Assert.Equal(new string('x', 80), PromptFolders.SafeName(new string('x', 81)));
        Assert.Equal(new string('x', 79), PromptFolders.SafeName(new string('x', 79) + " y"));
        Assert.Equal("x" + new string(' ', 0), PromptFolders.SafeName("  x" + new string(' ', 90) + "y"));
    }

    [Fact]
    public void SafeName_CharactersBeyondTheBasicPlane_CountOnceAndFitTheFileSystem()
    {
        Assert.Equal(new string('_', 80), PromptFolders.SafeName(string.Concat(Enumerable.Repeat("🐈", 90))));
        var letters = PromptFolders.SafeName(string.Concat(Enumerable.Repeat("𠀀", 90)));
        Assert.Equal(60, letters.EnumerateRunes().Count());
        Assert.Equal(240, Encoding.UTF8.GetByteCount(letters));
    }

    [Fact]
    public void SafeName_LoneSurrogate_DoesNotThrow() => Assert.Equal("a_b", PromptFolders.SafeName("a\ud800b"));

    [Theory]
    [InlineData(0, "img_00.png")]
    [InlineData(11, "img_11.png")]
    [InlineData(100, "img_100.png")]
    public void ImageName_Index_HasTwoDigits(int index, string expected) => Assert.Equal(expected, PromptFolders.ImageName(index));
}
