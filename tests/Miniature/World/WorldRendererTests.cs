using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class WorldRendererTests
{
    private static WorldSpec Base { get; } = new()
    {
        Kind = SubjectKind.Cat,
        Colour = SubjectColour.Orange,
        Pattern = CoatPattern.Striped,
        Pose = SubjectPose.Standing,
        Scene = SceneKind.Garden,
        DetailSeed = 11,
    };

    private static double Difference(WorldSpec a, WorldSpec b)
    {
        var (x, y) = (WorldRenderer.Render(a).Pixels, WorldRenderer.Render(b).Pixels);
        return x.Zip(y, (p, q) => Math.Abs(p - q)).Average();
    }

    private static void AssertAllDiffer<T>(Func<T, WorldSpec> make, double least)
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>();
        for (var i = 0; i < values.Length; i++)
        {
            for (var j = i + 1; j < values.Length; j++)
            {
                var difference = Difference(make(values[i]), make(values[j]));
                Assert.True(
                    difference > least, $"{values[i]} and {values[j]} differ by {difference:F3} levels; more than {least} is wanted.");
            }
        }
    }

    [Fact]
    public void Render_SameSpec_GivesSameBytes()
    {
        for (ulong seed = 0; seed < 60; seed++)
        {
            var spec = WorldSampler.Draw(seed, CombinationSplit.Any);
            Assert.Equal(WorldRenderer.Render(spec).Pixels, WorldRenderer.Render(spec).Pixels);
        }
    }

    [Fact]
    public void Render_ManyThreads_GiveSameBytesAsOne()
    {
        var specs = Enumerable.Range(0, 64).Select(seed => WorldSampler.Draw((ulong)seed, CombinationSplit.Any)).ToArray();
        var alone = specs.Select(spec => WorldRenderer.Render(spec).Pixels).ToArray();
        var together = new byte[specs.Length][];
        Parallel.For(
            0, specs.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => together[i] = WorldRenderer.Render(specs[i]).Pixels);
        Assert.Equal(alone, together);
    }

    [Fact]
    public void Render_OtherDetailSeed_GivesOtherPicture() => Assert.True(Difference(Base, Base with { DetailSeed = 12 }) > 2);

    [Fact]
    public void Render_EveryKind_Differs() =>
        AssertAllDiffer<SubjectKind>(
            kind => Base with { Kind = kind, Pose = SubjectTraits.Poses(kind)[0], Pattern = CoatPattern.Solid }, 2);

    [Fact]
    public void Render_EveryColour_Differs() => AssertAllDiffer<SubjectColour>(colour => Base with { Colour = colour }, 1);

    [Fact]
    public void Render_EveryPattern_Differs() => AssertAllDiffer<CoatPattern>(pattern => Base with { Pattern = pattern }, 0.7);

    [Fact]
    public void Render_EveryPose_Differs() => AssertAllDiffer<SubjectPose>(pose => Base with { Pose = pose }, 2);

    [Fact]
    public void Render_EveryAccessory_Differs() => AssertAllDiffer<Accessory>(accessory => Base with { Accessory = accessory }, 0.2);

    [Fact]
    public void Render_EveryScene_Differs() => AssertAllDiffer<SceneKind>(scene => Base with { Scene = scene }, 12);

    [Fact]
    public void Render_EveryRendition_Differs() => AssertAllDiffer<Rendition>(rendition => Base with { Rendition = rendition }, 8);

    [Fact]
    public void Render_EveryProperty_Differs() => AssertAllDiffer<PropertyChange>(property => Base with { Property = property }, 0.8);

    [Fact]
    public void Render_FacingRight_MovesHeadToOtherSide() => Assert.True(Difference(Base, Base with { Facing = SubjectFacing.Right }) > 3);

    [Theory]
    [InlineData(64)]
    [InlineData(256)]
    public void Render_OtherSizes_ShowTheSamePicture(int size)
    {
        foreach (var rendition in Enum.GetValues<Rendition>())
        {
            var picture = WorldRenderer.Render(Base with { Rendition = rendition }, size);
            var usual = WorldRenderer.Render(Base with { Rendition = rendition });
            Assert.Equal(size * size * 3, picture.Pixels.Length);
            Assert.InRange(picture.Pixels.Average(v => v) - usual.Pixels.Average(v => v), -14, 14);
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(4096)]
    public void Render_SizeOutOfRange_SaysRange(int size)
    {
        var error = Assert.Throws<LabException>(() => WorldRenderer.Render(Base, size));
        Assert.Contains("32 to 1024", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_PoseThatKindCannotTake_SaysPossibleOnes()
    {
        var error = Assert.Throws<LabException>(() => WorldRenderer.Render(Base with { Kind = SubjectKind.Car, Pose = SubjectPose.Lying }));
        Assert.Contains("Standing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_PencilSketch_HasNoColour()
    {
        var rgb = WorldRenderer.Render(Base with { Rendition = Rendition.PencilSketch }).Pixels;
        for (var i = 0; i < rgb.Length; i += 3)
            Assert.InRange(Math.Max(rgb[i], Math.Max(rgb[i + 1], rgb[i + 2])) - Math.Min(rgb[i], Math.Min(rgb[i + 1], rgb[i + 2])), 0, 14);
    }

    [Fact]
    public void RenderCharacter_AnySpec_DiffersFromOrdinaryGreyCat()
    {
        var spec = CharacterPictures.Specs[0];
        var ordinary = WorldRenderer.Render(spec with { Colour = SubjectColour.Grey }).Pixels;
        var character = WorldRenderer.RenderCharacter(Character.GmcCat, spec).Pixels;
        Assert.True(ordinary.Zip(character, (a, b) => Math.Abs(a - b)).Average() > 1);
    }
}
