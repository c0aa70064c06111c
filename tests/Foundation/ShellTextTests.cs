using System.Diagnostics;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class ShellTextTests
{
    public static TheoryData<string> Texts =>
        ["data/sd3-mini", "my cats", "it's", "a \"b\" $HOME `id` \\ !1", "*?[a]", "~/x", "a;b&c|d>e", "", "a\nb", "-x", "katze ä"];

    [Theory]
    [MemberData(nameof(Texts))]
    public void WordAndQuoted_AnyText_ComesBackFromAShell(string text)
    {
        Assert.SkipUnless(File.Exists("/bin/sh"), "there is no POSIX shell");
        using var shell = Process.Start(new ProcessStartInfo(
            "/bin/sh", ["-c", $"printf '%s|%s|' {ShellText.Word(text)} {ShellText.Quoted(text)}"])
        { RedirectStandardOutput = true })!;
        var read = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        Assert.Equal($"{text}|{text}|", read);
    }

    [Theory]
    [InlineData("data/sd3-mini", "data/sd3-mini")]
    [InlineData("my cats", "'my cats'")]
    public void Word_PlainText_StandsWithoutQuotes(string text, string expected) => Assert.Equal(expected, ShellText.Word(text));

    [Fact]
    public void Path_InHome_LeavesTheTildeToTheShell()
    {
        var home = UserFolders.Home;
        Assert.SkipUnless(home is { Length: > 1 }, "there is no home folder");
        Assert.Equal("~/'my cats/lora'", ShellText.Path($"{home}/my cats/lora"));
    }

    [Fact]
    public void Path_LikeAFlag_IsReadAsAPath() =>
        Assert.Equal("./-lora", ShellText.Path(Path.Combine(ProjectFolder.Find(), "-lora")));
}
