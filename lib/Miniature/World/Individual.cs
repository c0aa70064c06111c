using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World.Figures;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>
/// One subject that can be painted again in another place and pose: a cat with marks of its own, or an ordinary subject that its kind,
/// colour and pattern make.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Colour">The colour of its coat; of a cat with marks the nearest ordinary one, which does not matter.</param>
/// <param name="Pattern">The pattern of its coat.</param>
/// <param name="Marks">Marks of its own, or null for an ordinary subject.</param>
internal sealed record Individual(SubjectKind Kind, SubjectColour Colour, CoatPattern Pattern, CharacterMarks? Marks)
{
    private const double ArtShare = 0.12;
    private const double WornShare = 0.3;

    /// <summary>Paints it somewhere, mostly as a photo.</summary>
    /// <param name="seed">Chooses place, pose, art and what is worn.</param>
    /// <param name="size">Width and height in pixels.</param>
    public RgbImage Paint(ulong seed, int size = WorldRenderer.DefaultSize)
    {
        var spec = Draw(seed);
        return Marks is null ? WorldRenderer.Render(spec, size) : WorldRenderer.RenderCharacter(Character.Marked(Marks), spec, size);
    }

    private WorldSpec Draw(ulong seed)
    {
        var random = new SeededRandom(seed, 700);
        var spec = new WorldSpec
        {
            Kind = Kind,
            Colour = Colour,
            Pattern = Pattern,
            Pose = random.Pick(SubjectTraits.Poses(Kind)),
            Facing = (SubjectFacing)random.Index(2),
            Scene = (SceneKind)random.Index(Enum.GetValues<SceneKind>().Length),
            Rendition = random.Chance(ArtShare) ? random.Pick(Individuals.Arts) : Rendition.Photo,
            Accessory = random.Chance(WornShare) ? random.Pick(SubjectTraits.Accessories(Kind)) : Accessory.None,
            DetailSeed = random.NextBits(),
        };
        return SubjectTraits.ShowsPose(spec) ? spec : spec with { Pose = SubjectTraits.Poses(Kind)[0] };
    }
}
