using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.Proof;
using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

public class CaptionedCombinationTests
{
    private static readonly IReadOnlyList<CaptionedCombination> Drawn = CaptionedCombination.Draw(300, 950_000_000);

    [Fact]
    public void Draw_Combinations_AreDistinctAndNeverTrainedOn()
    {
        Assert.Equal(300, Drawn.Count);
        Assert.All(Drawn, combination => Assert.True(WorldSampler.IsHeldOut(combination.Spec)));
        Assert.Equal(
            300, Drawn.Select(c => (c.Spec.Kind, c.Spec.Colour, c.Spec.Scene, c.Spec.Rendition, c.Spec.Property)).Distinct().Count());
    }

    [Fact]
    public void Draw_Captions_SayKindAndShownColour()
    {
        Assert.All(
            Drawn, combination => Assert.Contains(
                combination.Spec.Kind.ToString().ToLowerInvariant(), combination.Caption, StringComparison.Ordinal));
        Assert.All(Drawn.Where(c => SubjectTraits.ShowsColour(c.Spec)), combination =>
            Assert.Contains(combination.Spec.Colour.ToString()[..2], combination.Caption, StringComparison.OrdinalIgnoreCase));
    }
}
