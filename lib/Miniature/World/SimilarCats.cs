namespace Dreambooth.Lab.Miniature.World;

/// <summary>Ordinary cats that look somewhat like the gmc cat: what a probe of its identity must tell it from.</summary>
internal static class SimilarCats
{
    private static readonly SubjectColour[] Colours =
        [SubjectColour.Grey, SubjectColour.Grey, SubjectColour.White, SubjectColour.Black, SubjectColour.Blue, SubjectColour.Orange];
    private static readonly CoatPattern[] Patterns = [CoatPattern.Patched, CoatPattern.Striped, CoatPattern.Solid, CoatPattern.Spotted];

    /// <summary>A photo of an ordinary cat of a near colour and pattern, anywhere.</summary>
    /// <param name="seed">Any number; the same one gives the same spec.</param>
    public static WorldSpec Draw(ulong seed)
    {
        var random = new SeededRandom(seed, 300);
        var spec = new WorldSpec
        {
            Kind = SubjectKind.Cat,
            Colour = random.Pick(Colours),
            Pattern = random.Pick(Patterns),
            Pose = random.Pick(SubjectTraits.Poses(SubjectKind.Cat)),
            Facing = (SubjectFacing)random.Index(2),
            Scene = (SceneKind)random.Index(Enum.GetValues<SceneKind>().Length),
            DetailSeed = random.NextBits(),
        };
        return SubjectTraits.Posed(spec);
    }
}
