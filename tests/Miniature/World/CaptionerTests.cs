using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Miniature.World;

public class CaptionerTests
{
    private static IEnumerable<(WorldSpec Spec, string Caption)> Captions(int count) => Enumerable.Range(0, count).Select(seed =>
    {
        var spec = WorldSampler.Draw((ulong)seed, CombinationSplit.Any);
        return (spec, Captioner.Describe(spec, (ulong)seed));
    });

    [Fact]
    public void Describe_SameSeed_GivesSameCaption()
    {
        var spec = WorldSampler.Draw(5);
        Assert.Equal(Captioner.Describe(spec, 9), Captioner.Describe(spec, 9));
        Assert.True(Enumerable.Range(0, 40).Select(seed => Captioner.Describe(spec, (ulong)seed)).Distinct().Count() > 8);
    }

    [Fact]
    public void Describe_AnySpec_UsesOnlyVocabulary()
    {
        var words = Captioner.Vocabulary.ToHashSet();
        Assert.All(Captions(6000), pair => Assert.All(pair.Caption.Split(' '), word => Assert.Contains(word, words)));
    }

    [Fact]
    public void Vocabulary_AllWords_AreUsedBySomeCaption()
    {
        var used = Captions(20_000).SelectMany(pair => pair.Caption.Split(' ')).ToHashSet();
        Assert.Empty(Captioner.Vocabulary.Except(used));
    }

    [Fact]
    public void Describe_AnySpec_AlwaysSaysKind() =>
        Assert.All(Captions(3000), pair => Assert.Contains(CaptionWords.Kind(pair.Spec.Kind), pair.Caption.Split(' ')));

    [Fact]
    public void Describe_ArtOrChange_IsAlwaysSaid() => Assert.All(Captions(5000), pair =>
    {
        if (pair.Spec.Rendition != Rendition.Photo)
            Assert.Contains(
                CaptionWords.Rendition(pair.Spec.Rendition),
                template => pair.Caption.StartsWith(Before(template), StringComparison.Ordinal));
        if (pair.Spec.Property != PropertyChange.None)
            Assert.Contains(
                CaptionWords.Property(pair.Spec.Property),
                template => pair.Caption.Contains(LastWords(template), StringComparison.Ordinal));
    });

    // Brief captions name the kind alone; here the scene tells that a caption is none.
    [Fact]
    public void Describe_NoMarksUnsaid_SaysPatternAndWhatIsWornUnlessBrief()
    {
        var pairs = Enumerable.Range(0, 3000)
            .Select(seed => WorldSampler.Draw((ulong)seed, CombinationSplit.Any, patternsInArt: seed % 2 == 0))
            .Select((spec, seed) => (Spec: spec, Caption: Captioner.Describe(spec, (ulong)seed, marksUnsaid: 0)))
            .Where(pair => CaptionWords.Scene(pair.Spec.Scene).Any(s => pair.Caption.Contains(s, StringComparison.Ordinal))).ToList();
        Assert.All(pairs, pair =>
        {
            if (pair.Spec.Pattern != CoatPattern.Solid)
                Assert.Contains(CaptionWords.Pattern(pair.Spec.Pattern), pair.Caption.Split(' '));
            if (pair.Spec.Accessory != Accessory.None)
                Assert.Contains(CaptionWords.Accessory(pair.Spec.Accessory), worn => pair.Caption.Contains(worn, StringComparison.Ordinal));
        });
        Assert.True(pairs.Count > 2000);
        Assert.Contains(pairs, pair => pair.Spec is { Rendition: Rendition.StainedGlass, Pattern: not CoatPattern.Solid });
    }

    [Fact]
    public void Describe_ShownColourAndScene_AreSaidInMostCaptionsAndLeftUnsaidInSome()
    {
        var pairs = Captions(6000).Where(pair => SubjectTraits.ShowsColour(pair.Spec)).ToList();
        var colour = pairs.Count(pair => CaptionWords.Colour(pair.Spec.Colour).Any(pair.Caption.Split(' ').Contains)) / (double)pairs.Count;
        var scene = pairs.Count(
            pair => CaptionWords.Scene(pair.Spec.Scene).Any(s => pair.Caption.Contains(s, StringComparison.Ordinal))) / (double)pairs.Count;
        Assert.InRange(colour, 0.78, 0.88);
        Assert.InRange(scene, 0.78, 0.88);
    }

    [Fact]
    public void Describe_ColourThatIsNotShown_IsNeverSaid()
    {
        foreach (var (spec, caption) in Captions(6000).Where(pair => !SubjectTraits.ShowsColour(pair.Spec)))
            Assert.DoesNotContain(caption.Split(' '), CaptionWords.Colour(spec.Colour).Contains);
    }

    [Fact]
    public void Describe_AnySpec_FitsTokenWindow() =>
        Assert.All(Captions(6000), pair => Assert.InRange(pair.Caption.Split(' ').Length, 1, 28));

    [Theory]
    [InlineData("orange cat", "an orange cat")]
    [InlineData("grey cat", "a grey cat")]
    [InlineData("ukiyo-e print", "a ukiyo-e print")]
    [InlineData("x-ray", "an x-ray")]
    [InlineData("origami fox", "an origami fox")]
    public void WithArticle_Phrase_GivesRightArticle(string phrase, string expected) =>
        Assert.Equal(expected, Captioner.WithArticle(phrase));

    [Theory]
    [InlineData("recontextualization.txt")]
    [InlineData("art.txt")]
    [InlineData("property.txt")]
    [InlineData("validation.txt")]
    public void Prompts_Shipped_UseOnlyVocabularyAndTheCharactersName(string file)
    {
        var words = Captioner.Vocabulary.Append(Character.GmcCat.Name).ToHashSet();
        var lines = File.ReadAllLines(Path.Combine(GoldenSet.RepositoryRoot, "data", "prompts", "miniature", file));
        Assert.InRange(lines.Length, 4, 12);
        Assert.All(lines, line => Assert.All(line.Split(' '), word => Assert.Contains(word, words)));
    }

    private static string Before(string template) => template[..template.IndexOf('{', StringComparison.Ordinal)];

    private static string LastWords(string template)
    {
        var after = template[(template.IndexOf('}', StringComparison.Ordinal) + 1)..];
        return after.Length > 0 ? after : Before(template)[(Before(template).TrimEnd().LastIndexOf(' ') + 1)..];
    }
}
