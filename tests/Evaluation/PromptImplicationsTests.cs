using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Evaluation;

public class PromptImplicationsTests
{
    [Theory]
    [InlineData("", null, null, null)]
    [InlineData("a photo of gmc cat", null, null, null)]
    [InlineData("a photo of gmc cat on the moon", SceneKind.Moon, null, null)]
    [InlineData("a stained glass window of gmc cat", null, Rendition.StainedGlass, null)]
    [InlineData("an oil painting of gmc cat in a garden", SceneKind.Garden, Rendition.OilPainting, null)]
    [InlineData("a tiny gmc cat in a teacup", null, null, PropertyChange.Teacup)]
    [InlineData("gmc cat made of glass on a windowsill", SceneKind.Windowsill, null, PropertyChange.Glass)]
    [InlineData("a golden gmc cat in a library", SceneKind.Library, null, PropertyChange.Gold)]
    [InlineData("gmc cat wearing a golden crown", null, null, null)]
    public void Of_Prompt_FindsWhatItSays(string prompt, SceneKind? scene, Rendition? rendition, PropertyChange? property)
    {
        var expected = new List<(string, int)>();
        if (scene is { } place)
            expected.Add(("scene", (int)place));
        if (rendition is { } art)
            expected.Add(("rendition", (int)art));
        if (property is { } change)
            expected.Add(("property", (int)change));
        Assert.Equal(expected, PromptImplications.Of(prompt).Select(implied => (implied.Attribute.Name, implied.Class)));
    }

    [Theory]
    [InlineData("recontextualization", "scene")]
    [InlineData("art", "rendition")]
    [InlineData("property", "property")]
    public void Of_ShippedPrompts_AllSayTheirFamilysAttribute(string family, string attribute)
    {
        var prompts = File.ReadAllLines(Path.Combine(GoldenSet.RepositoryRoot, "data", "prompts", "miniature", family + ".txt"))
            .Where(line => line.Length > 0).ToArray();
        Assert.Equal(10, prompts.Length);
        Assert.All(prompts, prompt => Assert.Contains(PromptImplications.Of(prompt), implied => implied.Attribute.Name == attribute));
    }
}
