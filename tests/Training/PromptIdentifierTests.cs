using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class PromptIdentifierTests
{
    [Theory]
    [InlineData("a photo of gmc cat", "a photo of a cat", "gmc")]
    [InlineData("a photo of gmc cat sitting", "a cat", "gmc")]
    [InlineData("A photo of SKS Dog.", "a dog", "sks")]
    [InlineData("a photo of a cat", "a photo of a cat", null)]
    [InlineData("a photo of gmc", "a photo of a cat", null)]
    [InlineData(null, "a cat", null)]
    [InlineData("a photo of gmc cat", null, null)]
    public void Of_Prompts_IsTheWordBeforeTheClass(string? instance, string? ofClass, string? identifier) =>
        Assert.Equal(identifier, PromptIdentifier.Of(instance, ofClass));

    [Theory]
    [InlineData("a photo of gmc cat walking", "a photo of cat walking")]
    [InlineData("GMC  cat, by gmc", "cat, by")]
    [InlineData("a gmcat", null)]
    [InlineData("gmc", null)]
    public void Without_Prompt_LeavesTheRest(string prompt, string? expected) =>
        Assert.Equal(expected, PromptIdentifier.Without(prompt, "gmc"));

    [Fact]
    public void Complaint_PromptsWithoutIt_NamesThem()
    {
        string[] prompts = ["gmc cat in the snow", "a cat on a chair", "a photo of a cat", "a gmcat"];
        var complaint = PromptIdentifier.Complaint(prompts, "a photo of gmc cat", "a photo of a cat");
        Assert.StartsWith("2 of 4 prompts lack the identifier 'gmc'", complaint, StringComparison.Ordinal);
        Assert.Contains(": \"a cat on a chair\", \"a gmcat\". ", complaint, StringComparison.Ordinal);
        Assert.Null(PromptIdentifier.Complaint(["a GMC cat"], "a photo of gmc cat", "a photo of a cat"));
        Assert.Null(PromptIdentifier.Complaint(["a cat"], null, "a photo of a cat"));
    }
}
