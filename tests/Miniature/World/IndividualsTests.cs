using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Miniature.World.Figures;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class IndividualsTests
{
    [Fact]
    public void MarkedCats_ForTrainingAndHeldOut_AreAllDifferent()
    {
        var all = Individuals.MarkedCats(200, false).Concat(Individuals.MarkedCats(200, true)).ToArray();
        Assert.Equal(400, all.Select(cat => cat.Marks).Distinct().Count());
        Assert.DoesNotContain(new CharacterMarks(), all.Select(cat => cat.Marks));
        Assert.Equal(all[3], Individuals.MarkedCats(4, false)[3]);
    }

    [Fact]
    public void Ordinary_AllFourParts_AreEveryLookOnce()
    {
        var parts = new[] { (true, false), (true, true), (false, false), (false, true) }
            .Select(part => Individuals.Ordinary(part.Item1, part.Item2)).ToArray();
        Assert.All(parts, Assert.NotEmpty);
        Assert.True(parts[0].Count > parts[1].Count && parts[2].Count > parts[3].Count);
        var looks = Enum.GetValues<SubjectKind>().Length * Enum.GetValues<SubjectColour>().Length * Enum.GetValues<CoatPattern>().Length;
        Assert.Equal(looks, parts.SelectMany(part => part).Distinct().Count());
        Assert.All(parts[0], cat => Assert.Equal(SubjectKind.Cat, cat.Kind));
    }

    [Fact]
    public void Paint_OneIndividual_IsAnotherPictureForAnotherSeed()
    {
        foreach (var individual in new[] { Individuals.MarkedCats(1, false)[0], Individuals.Ordinary(false, true)[0] })
        {
            Assert.Equal(individual.Paint(5, 48).Pixels, individual.Paint(5, 48).Pixels);
            Assert.NotEqual(individual.Paint(5, 48).Pixels, individual.Paint(6, 48).Pixels);
        }
    }
}
