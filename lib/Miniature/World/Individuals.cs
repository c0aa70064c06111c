using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Materials;
using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>Subjects that an encoder learns to tell from each other. The gmc cat is none of them.</summary>
internal static class Individuals
{
    private const ulong HeldOutSalt = 0x696E646976696475;

    // A cat's marks for training come from even numbers, those that are held out from odd ones.
    private const ulong Held = 1;

    /// <summary>The arts that keep a subject's colours.</summary>
    internal static IReadOnlyList<Rendition> Arts { get; } = [Rendition.Watercolour, Rendition.OilPainting, Rendition.PopArt];

    /// <summary>Cats with marks of their own.</summary>
    /// <param name="count">How many.</param>
    /// <param name="heldOut">Whether they are those that training never sees.</param>
    public static IReadOnlyList<Individual> MarkedCats(int count, bool heldOut) =>
        [.. Enumerable.Range(0, count).Select(i => Marked(((ulong)i * 2) + (heldOut ? Held : 0)))];

    /// <summary>Every ordinary look, cats or all others, in an order that mixes them.</summary>
    /// <param name="cats">Whether cats, or all other kinds.</param>
    /// <param name="heldOut">Whether the eighth part that training never sees, or the rest.</param>
    public static IReadOnlyList<Individual> Ordinary(bool cats, bool heldOut) =>
        [.. from kind in Enum.GetValues<SubjectKind>()
            where kind == SubjectKind.Cat == cats
            from colour in Enum.GetValues<SubjectColour>()
            from pattern in Enum.GetValues<CoatPattern>()
            let hash = Hash(kind, colour, pattern)
            where hash % 8 == 0 == heldOut
            orderby hash
            select new Individual(kind, colour, pattern, null)];

    private static ulong Hash(SubjectKind kind, SubjectColour colour, CoatPattern pattern) =>
        SeededRandom.Mix(SeededRandom.Mix(SeededRandom.Mix(HeldOutSalt ^ (ulong)kind) ^ (ulong)colour) ^ (ulong)pattern);

    private static Individual Marked(ulong number)
    {
        var random = new SeededRandom(number, 710);
        SKColor Any(float amount = 18) => Tint.Vary(CoatColours.Pure(random.Pick(Enum.GetValues<SubjectColour>())), random, amount);
        var coat = Any();
        var belly = random.Chance(0.5) ? Tint.Lighter(coat, random.Range(0.4f, 0.8f)) : Tint.Lighter(Any(), random.Range(0.3f, 0.8f));
        var marks = new CharacterMarks
        {
            Coat = coat,
            Belly = belly,
            Mask = random.Chance(0.5) ? Tint.Darker(coat, random.Range(0.4f, 0.8f)) : Any(),
            Blaze = random.Chance(0.5) ? Tint.Lighter(coat, random.Range(0.5f, 0.9f)) : Any(),
            Ear = Any(),
            LeftEye = Any(),
            RightEye = Any(),
        };
        return new Individual(SubjectKind.Cat, SubjectColour.Grey, CoatPattern.Solid, marks);
    }
}
