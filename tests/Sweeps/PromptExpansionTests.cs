using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class PromptExpansionTests
{
    [Theory]
    [InlineData("recontextualization", 24)]
    [InlineData("art", 24)]
    [InlineData("property", 24)]
    [InlineData("validation", 5)]
    public void OfList_AnotherSubject_StandsInEveryPrompt(string list, int count)
    {
        var prompts = PromptExpansion.OfList(list, "xyz dog");
        Assert.Equal(count, prompts.Count);
        Assert.All(prompts, prompt => Assert.Contains("dog", prompt, StringComparison.Ordinal));
        Assert.DoesNotContain(prompts, prompt => prompt.Contains("gmc", StringComparison.Ordinal) || prompt.Contains('{'));
        Assert.Equal(PromptList.OfFamily(list, folder: PromptList.Folder), PromptExpansion.OfList(list, "gmc cat"));
    }

    [Fact]
    public void OfList_TheClassPrompt_HasTheClassAlone() =>
        Assert.Equal("a photo of a backpack", PromptExpansion.OfList("validation", "xyz backpack")[^1]);

    [Fact]
    public void Grid_AttributesAndStyles_GivesEachPair() => Assert.Equal(
        ["a photo of red xyz dog", "an oil painting of red xyz dog", "a photo of old xyz dog", "an oil painting of old xyz dog"],
        PromptExpansion.Grid([], "xyz dog", ["red", "old"], ["a photo", "an oil painting"]));

    [Theory]
    [InlineData("[V] cat", "a [V] cat asleep", "the cat of [V]")]
    [InlineData(" xyz  big  dog ", "a xyz big dog asleep", "the big dog of xyz")]
    [InlineData("robot", "a robot asleep", "the robot of")]
    public void OfTemplates_ASubject_StandsForTokenAndClass(string subject, params string[] expected) =>
        Assert.Equal(expected, PromptExpansion.OfTemplates(["a {0} {1} asleep", "the {1} of {0}"], subject));

    [Fact]
    public void Grid_NothingVaries_IsOnePrompt() => Assert.Equal(["a photo of xyz dog"], PromptExpansion.Grid([], " xyz dog ", [], []));

    [Theory]
    [InlineData("a photo", "has no {subject}")]
    [InlineData("a photo of {subject}", "has no {attribute}, though --attributes are given")]
    [InlineData("{style} of {attribute} {subject}", "has {style}, but no --styles are given")]
    public void Grid_AWrongTemplate_IsRefused(string template, string says) => Assert.Contains(
        says, Assert.Throws<UsageException>(() => PromptExpansion.Grid([template], "dog", ["red"], [])).Message, StringComparison.Ordinal);
}
