using System.Text;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>Describes painted pictures in words: lower case, no punctuation, from a closed vocabulary.</summary>
internal static class Captioner
{
    private const double ShortShare = 0.06;
    private const double Unsaid = 0.13;
    private const double PoseUnsaid = 0.35;

    /// <summary>Every word that captions use, sorted by code point.</summary>
    public static IReadOnlyList<string> Vocabulary { get; } = CollectWords();

    /// <summary>
    /// A caption of a painted picture. What the picture does not show is never said; kind, art and change always are; the rest is omitted
    /// now and then, and 6 % of captions say nothing else.
    /// </summary>
    /// <param name="spec">The picture.</param>
    /// <param name="seed">Chooses among the wordings.</param>
    /// <param name="marksUnsaid">Part of the patterns and of what is worn that a caption omits, 0 to 1; brief captions omit all.</param>
    public static string Describe(WorldSpec spec, ulong seed, double marksUnsaid = Unsaid)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var random = new SeededRandom(seed, 200);
        var brief = random.Chance(ShortShare);
        var noun = Noun(spec, random, brief, marksUnsaid);
        var subject = random.Pick(CaptionWords.Property(spec.Property)).Replace("{0}", WithArticle(noun), StringComparison.Ordinal)
            .Replace("{1}", noun, StringComparison.Ordinal);
        var text = new StringBuilder(subject);
        if (!brief)
            AddCircumstances(text, spec, random, marksUnsaid);
        return random.Pick(CaptionWords.Rendition(spec.Rendition)).Replace("{0}", text.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The phrase with <c>a</c> or <c>an</c> before it.</summary>
    /// <param name="phrase">A phrase that begins with a noun or an adjective.</param>
    internal static string WithArticle(string phrase) =>
        ("aeio".Contains(phrase[0], StringComparison.Ordinal) || phrase.StartsWith("x-ray", StringComparison.Ordinal) ? "an " : "a ")
            + phrase;

    private static string Noun(WorldSpec spec, SeededRandom random, bool brief, double marksUnsaid)
    {
        var kind = CaptionWords.Kind(spec.Kind);
        if (brief)
            return kind;
        var colour = SubjectTraits.ShowsColour(spec) && !random.Chance(Unsaid) ? random.Pick(CaptionWords.Colour(spec.Colour)) : "";
        var sayPattern = spec.Pattern == CoatPattern.Solid
            ? SubjectTraits.ShowsPattern(spec) && random.Chance(0.08)
            : SubjectTraits.HasPattern(spec) && !random.Chance(marksUnsaid);
        var pattern = sayPattern ? CaptionWords.Pattern(spec.Pattern) : "";
        string[] words = spec.Pattern == CoatPattern.Solid || random.Chance(0.35) ? [pattern, colour, kind] : [colour, pattern, kind];
        return string.Join(' ', words.Where(word => word.Length > 0));
    }

    private static void AddCircumstances(StringBuilder text, WorldSpec spec, SeededRandom random, double marksUnsaid)
    {
        var pose = SubjectTraits.ShowsPose(spec) && !random.Chance(PoseUnsaid) ? random.Pick(CaptionWords.Pose(spec.Pose)) : "";
        if (SubjectTraits.ShowsFacing(spec) && random.Chance(0.12))
            pose = (pose + " " + CaptionWords.Facing[(int)spec.Facing]).Trim();
        var scene = random.Chance(Unsaid) ? "" : random.Pick(CaptionWords.Scene(spec.Scene));
        var worn = "";
        if (spec.Accessory != Accessory.None && !random.Chance(marksUnsaid))
            worn = (random.Chance(0.7) ? "wearing " : "with ") + random.Pick(CaptionWords.Accessory(spec.Accessory));
        string[] parts = random.Chance(0.5) ? [worn, pose, scene] : [pose, scene, worn];
        foreach (var part in parts.Where(part => part.Length > 0))
            text.Append(' ').Append(part);
    }

    private static string[] CollectWords()
    {
        var phrases = new List<string>();
        phrases.AddRange(CaptionWords.Grammar);
        phrases.AddRange(CaptionWords.Plain);
        phrases.AddRange(CaptionWords.Facing);
        phrases.AddRange(Enum.GetValues<SubjectKind>().Select(CaptionWords.Kind));
        phrases.AddRange(Enum.GetValues<SubjectColour>().SelectMany(CaptionWords.Colour));
        phrases.AddRange(Enum.GetValues<CoatPattern>().Select(CaptionWords.Pattern));
        phrases.AddRange(Enum.GetValues<SubjectPose>().SelectMany(CaptionWords.Pose));
        phrases.AddRange(Enum.GetValues<Accessory>().SelectMany(CaptionWords.Accessory));
        phrases.AddRange(Enum.GetValues<SceneKind>().SelectMany(CaptionWords.Scene));
        phrases.AddRange(Enum.GetValues<Rendition>().SelectMany(CaptionWords.Rendition));
        phrases.AddRange(Enum.GetValues<PropertyChange>().SelectMany(CaptionWords.Property));
        return [.. phrases.SelectMany(phrase => phrase.Split(' ')).Where(word => word[0] != '{').Distinct().Order(StringComparer.Ordinal)];
    }
}
