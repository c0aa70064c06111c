using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class WorldSamplerTests
{
    private const int Draws = 12_000;

    private static WorldSpec[] Sample(CombinationSplit split, int count = Draws) =>
        [.. Enumerable.Range(0, count).Select(seed => WorldSampler.Draw((ulong)seed, split))];

    [Fact]
    public void Draw_SameSeed_GivesSameSpec()
    {
        for (ulong seed = 0; seed < 50; seed++)
            Assert.Equal(WorldSampler.Draw(seed), WorldSampler.Draw(seed));
        Assert.NotEqual(WorldSampler.Draw(1), WorldSampler.Draw(2));
    }

    [Fact]
    public void Draw_TrainOnly_NeverGivesHeldOutCombination() =>
        Assert.DoesNotContain(Sample(CombinationSplit.TrainOnly), WorldSampler.IsHeldOut);

    [Fact]
    public void Draw_HeldOutOnly_GivesOnlyHeldOutCombinations() =>
        Assert.All(Sample(CombinationSplit.HeldOutOnly, 2000), spec => Assert.True(WorldSampler.IsHeldOut(spec)));

    [Fact]
    public void Draw_Any_HoldsOutAboutATenth()
    {
        var share = Sample(CombinationSplit.Any).Count(WorldSampler.IsHeldOut) / (double)Draws;
        Assert.InRange(share, 0.08, 0.12);
    }

    [Fact]
    public void Draw_TrainOnly_FollowsSharesOfStyles()
    {
        var specs = Sample(CombinationSplit.TrainOnly);
        Assert.InRange(specs.Count(s => s.Rendition != Rendition.Photo) / (double)Draws, 0.28, 0.32);
        Assert.InRange(specs.Count(s => s.Property != PropertyChange.None) / (double)Draws, 0.23, 0.27);
        Assert.DoesNotContain(specs, s => s.Rendition != Rendition.Photo && s.Property != PropertyChange.None);
    }

    [Fact]
    public void Draw_TrainOnly_GivesEveryClassOfEveryAttribute()
    {
        var specs = Sample(CombinationSplit.TrainOnly);
        foreach (var attribute in DrawingAttributes.All)
        {
            var seen = specs.Where(attribute.IsShown).GroupBy(attribute.ClassOf).ToDictionary(g => g.Key, g => g.Count());
            for (var i = 0; i < attribute.Classes.Count; i++)
                Assert.True(
                    seen.GetValueOrDefault(i) > 100, $"{attribute.Name} {attribute.Classes[i]}: {seen.GetValueOrDefault(i)} of {Draws}");
        }
    }

    [Fact]
    public void Draw_KindsAndColoursAndScenes_AreEvenlySpread()
    {
        var specs = Sample(CombinationSplit.TrainOnly);
        foreach (var attribute in (ReadOnlySpan<DrawingAttribute>)[DrawingAttributes.Kind, DrawingAttributes.Colour])
        {
            var even = Draws / (double)attribute.Classes.Count;
            Assert.All(specs.GroupBy(attribute.ClassOf), group => Assert.InRange(group.Count(), even * 0.85, even * 1.15));
        }
    }

    [Fact]
    public void Draw_AnySpec_KeepsToTraits() => Assert.All(Sample(CombinationSplit.Any, 4000), spec =>
    {
        Assert.Contains(spec.Pose, SubjectTraits.Poses(spec.Kind));
        Assert.Contains(spec.Accessory, SubjectTraits.Accessories(spec.Kind));
        Assert.True(SubjectTraits.Allows(spec.Kind, spec.Property));
        Assert.True(spec.Pattern == CoatPattern.Solid || SubjectTraits.ShowsPattern(spec));
    });

    [Fact]
    public void Draw_PatternsInArt_ChangesNothingButThePatternsThatOtherArtLeavesOut()
    {
        var pairs = Enumerable.Range(0, 4000)
            .Select(seed => (Plain: WorldSampler.Draw((ulong)seed), Patterned: WorldSampler.Draw((ulong)seed, patternsInArt: true)))
            .ToList();
        Assert.All(pairs, pair =>
        {
            Assert.Equal(pair.Plain, pair.Patterned with { Pattern = pair.Plain.Pattern });
            if (SubjectTraits.ShowsPattern(pair.Plain) || !SubjectTraits.HasPattern(pair.Plain))
                Assert.Equal(pair.Plain.Pattern, pair.Patterned.Pattern);
        });
        foreach (var art in pairs.Where(pair => !SubjectTraits.ShowsPattern(pair.Plain) && SubjectTraits.HasPattern(pair.Plain))
            .GroupBy(pair => pair.Plain.Rendition))
        {
            Assert.All(art, pair => Assert.Equal(CoatPattern.Solid, pair.Plain.Pattern));
            Assert.InRange(art.Count(pair => pair.Patterned.Pattern != CoatPattern.Solid) / (double)art.Count(), 0.45, 0.75);
        }
    }
}
