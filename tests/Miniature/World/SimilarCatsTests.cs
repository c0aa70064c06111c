using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class SimilarCatsTests
{
    [Fact]
    public void Draw_ManySeeds_GiveOrdinaryCatsThatVary()
    {
        var cats = Enumerable.Range(0, 200).Select(seed => SimilarCats.Draw((ulong)seed)).ToList();
        Assert.All(
            cats, cat => Assert.Equal((SubjectKind.Cat, Rendition.Photo, PropertyChange.None), (cat.Kind, cat.Rendition, cat.Property)));
        Assert.True(cats.Select(cat => (cat.Colour, cat.Pattern)).Distinct().Count() > 12);
        Assert.Equal(cats[7], SimilarCats.Draw(7));
    }
}
