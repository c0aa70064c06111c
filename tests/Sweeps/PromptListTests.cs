using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class PromptListTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-prompts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Parse_MixedLines_KeepsTrimmedPromptsInOrder() =>
        Assert.Equal(
            ["a cat", "# a tag", "dog,  two spaces", "last"], PromptList.Parse("\n a cat \r\n\t\n# a tag\rdog,  two spaces\n\nlast"));

    [Fact]
    public void Read_ByteOrderMark_IsNoPartOfThePrompt()
    {
        var path = Path.Combine(_folder, "p.txt");
        File.WriteAllText(path, "é\n", new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        Assert.Equal(["é"], PromptList.Read(path));
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0xE9, 0x0A }, "not UTF-8")]
    [InlineData(new byte[] { 0x20, 0x0A }, "has no prompt")]
    [InlineData(null, "cannot be read")]
    public void Read_UnusableFile_SaysWhy(byte[]? content, string reason)
    {
        var path = Path.Combine(_folder, "bad.txt");
        if (content is not null)
            File.WriteAllBytes(path, content);
        var message = Assert.Throws<LabException>(() => PromptList.Read(path)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfFamily_AnotherSubject_StandsInEveryPrompt()
    {
        Assert.Equal("a watercolour painting of gmc cat", PromptList.OfFamily("art")[0]);
        Assert.All(PromptList.OfFamily("art", "sks dog"), prompt => Assert.Contains("sks dog", prompt, StringComparison.Ordinal));
        Assert.Throws<LabException>(() => PromptList.OfFamily("sculpture"));
    }

    [Theory]
    [InlineData("recontextualization", "a photo of gmc cat ")]
    [InlineData("art", "")]
    [InlineData("property", "")]
    public void OfFamily_ListForTheRealModel_HasTwentyFourDifferentPromptsAboutAnySubject(string family, string beginning)
    {
        var prompts = PromptList.OfFamily(family, folder: PromptList.Folder);
        Assert.Equal(24, prompts.Distinct().Count());
        Assert.Equal(24, prompts.Count);
        Assert.All(prompts, prompt => Assert.StartsWith(beginning, prompt, StringComparison.Ordinal));
        Assert.All(prompts, prompt => Assert.InRange(prompt.Split(' ').Length, 8, 30));
        Assert.Empty(prompts.Intersect(PromptList.OfFamily(family)));
        // Neither the identifier nor the class is left where another subject stands in its place.
        Assert.All(PromptList.OfFamily(family, "sks mug", PromptList.Folder), prompt =>
        {
            Assert.Contains("sks mug", prompt, StringComparison.Ordinal);
            Assert.DoesNotMatch(@"\b(gmc|cat|kitten|feline)\b", prompt);
        });
    }

    [Fact]
    public void OfFamily_EveryListOfTheMiniature_HasItsCounterpart() =>
        Assert.Equal(Names(PromptList.MiniatureFolder), Names(PromptList.Folder));

    private static string[] Names(string folder) =>
        [.. Directory.GetFiles(Path.Combine(ProjectFolder.Find(), folder), "*.txt").Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal)];
}
