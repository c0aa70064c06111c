using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>A combination that training never saw, with a caption that says all that can be read from a picture of it.</summary>
/// <param name="Spec">The picture.</param>
/// <param name="Caption">The caption.</param>
internal sealed record CaptionedCombination(WorldSpec Spec, string Caption)
{
    private const ulong Wordings = 4000;

    /// <summary>Draws combinations, each another one of kind, colour, scene, rendition and change.</summary>
    /// <param name="count">How many.</param>
    /// <param name="firstSeed">Seed of the first painted picture that is considered.</param>
    public static IReadOnlyList<CaptionedCombination> Draw(int count, ulong firstSeed)
    {
        var seen = new HashSet<(SubjectKind, SubjectColour, SceneKind, Rendition, PropertyChange)>();
        var drawn = new List<CaptionedCombination>();
        for (var seed = firstSeed; drawn.Count < count; seed++)
        {
            var spec = WorldSampler.Draw(seed, CombinationSplit.HeldOutOnly);
            if (seen.Add((spec.Kind, spec.Colour, spec.Scene, spec.Rendition, spec.Property)) && FullCaption(spec, seed) is { } caption)
                drawn.Add(new CaptionedCombination(spec, caption));
        }

        return drawn;
    }

    private static string? FullCaption(WorldSpec spec, ulong seed)
    {
        for (ulong wording = 0; wording < Wordings; wording++)
        {
            var caption = Captioner.Describe(spec, (seed * Wordings) + wording);
            if (SaysAll(spec, caption))
                return caption;
        }

        return null;
    }

    private static bool SaysAll(WorldSpec spec, string caption)
    {
        bool Says(IEnumerable<string> phrases) => phrases.Any(phrase => $" {caption} ".Contains($" {phrase} ", StringComparison.Ordinal));
        return (!SubjectTraits.ShowsColour(spec) || Says(CaptionWords.Colour(spec.Colour)))
            && Says(CaptionWords.Scene(spec.Scene))
            && (spec.Pattern == CoatPattern.Solid || !SubjectTraits.ShowsPattern(spec) || Says([CaptionWords.Pattern(spec.Pattern)]))
            && (spec.Accessory == Accessory.None || Says(CaptionWords.Accessory(spec.Accessory)))
            && (!SubjectTraits.ShowsPose(spec) || Says(CaptionWords.Pose(spec.Pose)));
    }
}
