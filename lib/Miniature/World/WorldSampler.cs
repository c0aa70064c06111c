namespace Dreambooth.Lab.Miniature.World;

/// <summary>
/// Draws specs at random: 45 % plain photos, 30 % art renditions, 25 % property changes. About a tenth of the combinations of kind,
/// colour, scene, rendition and property is held out from training.
/// </summary>
internal static class WorldSampler
{
    private const double ArtShare = 0.30;
    private const double PropertyShare = 0.25;
    private const ulong HeldOutSalt = 0x6D696E6961747572;

    /// <summary>The spec of a seed; the same seed and split always give the same spec.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="split">Which combinations may be drawn.</param>
    /// <param name="patternsInArt">
    /// Whether subjects have patterns in every art; otherwise only where a classifier is asked for them. All else is the same.
    /// </param>
    public static WorldSpec Draw(ulong seed, CombinationSplit split = CombinationSplit.TrainOnly, bool patternsInArt = false)
    {
        var random = new SeededRandom(seed, 100);
        while (true)
        {
            var spec = DrawOne(random, patternsInArt);
            if (split == CombinationSplit.Any || IsHeldOut(spec) == (split == CombinationSplit.HeldOutOnly))
                return spec;
        }
    }

    /// <summary>
    /// Whether a spec's combination of kind, colour, scene, rendition and property is kept from training: about one in ten is.
    /// </summary>
    /// <param name="spec">Any spec; its other members do not matter.</param>
    public static bool IsHeldOut(WorldSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var hash = HeldOutSalt;
        foreach (var part in (ReadOnlySpan<int>)[(int)spec.Kind, (int)spec.Colour, (int)spec.Scene, (int)spec.Rendition,
            (int)spec.Property])
            hash = SeededRandom.Mix(hash ^ (ulong)part);
        return hash % 10 == 0;
    }

    private static WorldSpec DrawOne(SeededRandom random, bool patternsInArt)
    {
        var kind = (SubjectKind)random.Index(Enum.GetValues<SubjectKind>().Length);
        var style = random.NextDouble();
        var rendition = style < ArtShare ? Other<Rendition>(random) : Rendition.Photo;
        var property = style >= 1 - PropertyShare ? DrawProperty(kind, random) : PropertyChange.None;
        var spec = new WorldSpec
        {
            Kind = kind,
            Colour = (SubjectColour)random.Index(Enum.GetValues<SubjectColour>().Length),
            Pose = random.Pick(SubjectTraits.Poses(kind)),
            Facing = (SubjectFacing)random.Index(2),
            Scene = DrawScene(property, random),
            Rendition = rendition,
            Property = property,
            Accessory = random.Chance(0.4) && property != PropertyChange.XRay
                ? random.Pick(SubjectTraits.Accessories(kind))
                : Accessory.None,
            Pattern = random.Chance(0.6) ? Other<CoatPattern>(random) : CoatPattern.Solid,
            DetailSeed = random.NextBits(),
        };
        if (!(patternsInArt ? SubjectTraits.HasPattern(spec) : SubjectTraits.ShowsPattern(spec)))
            spec = spec with { Pattern = CoatPattern.Solid };
        return SubjectTraits.ShowsPose(spec) ? spec : spec with { Pose = SubjectTraits.Poses(kind)[0] };
    }

    private static PropertyChange DrawProperty(SubjectKind kind, SeededRandom random)
    {
        while (true)
        {
            var property = Other<PropertyChange>(random);
            if (SubjectTraits.Allows(kind, property))
                return property;
        }
    }

    private static SceneKind DrawScene(PropertyChange property, SeededRandom random)
    {
        while (true)
        {
            var scene = (SceneKind)random.Index(Enum.GetValues<SceneKind>().Length);
            if (property != PropertyChange.Teacup || !SubjectTraits.IsContainer(scene))
                return scene;
        }
    }

    // Any value but the first, which stands for none.
    private static T Other<T>(SeededRandom random)
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>();
        return values[1 + random.Index(values.Length - 1)];
    }
}
