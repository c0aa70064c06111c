using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Miniature.World;

/// <summary>
/// Sheets of drawings to look at, written to outputs/world; run with <c>dotnet test tests --filter Category=Sheets</c> when LAB_SHEETS is
/// set.
/// </summary>
[Trait("Category", "Sheets")]
public class ContactSheets
{
    [Fact]
    public void Write_AllSheets_GivesPictures()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("LAB_SHEETS") is null, "Set LAB_SHEETS=1 to write contact sheets to outputs/world.");
        var folder = Path.Combine(GoldenSet.RepositoryRoot, "outputs", "world");
        Directory.CreateDirectory(folder);
        Write(folder, "sampled", Enumerable.Range(0, 80).Select(seed => WorldSampler.Draw((ulong)seed)), 10);
        Write(folder, "held-out", Enumerable.Range(0, 80).Select(seed => WorldSampler.Draw((ulong)seed, CombinationSplit.HeldOutOnly)), 10);
        Write(folder, "scenes", Enum.GetValues<SceneKind>().SelectMany(scene => Two(s => s with { Scene = scene })), 8);
        Write(folder, "renditions", Enum.GetValues<Rendition>().SelectMany(rendition => Kinds(s => s with { Rendition = rendition })), 9);
        Write(folder, "properties", Enum.GetValues<PropertyChange>().SelectMany(property => Kinds(s => s with { Property = property })), 9);
        Write(folder, "patterns", Enum.GetValues<CoatPattern>().SelectMany(pattern => Kinds(s => s with { Pattern = pattern })), 9);
        Write(folder, "colours", Enum.GetValues<SubjectColour>().SelectMany(colour => Kinds(s => s with { Colour = colour })), 9);
        Write(folder, "similar-cats", Enumerable.Range(0, 24).Select(seed => SimilarCats.Draw((ulong)seed)), 8);
        Write(folder, "gmc", CharacterPictures.Specs, 8, Character.GmcCat);
        Write(folder, "gmc-changed", Changed(), 10, Character.GmcCat);
        Assert.True(Directory.GetFiles(folder, "*.png").Length >= 9);
    }

    // The character in every art and with every change, three times each, in varied poses and places.
    private static IEnumerable<WorldSpec> Changed() => Enumerable.Range(0, 3).SelectMany(row => Enum.GetValues<Rendition>().Skip(1)
        .Select(rendition => CharacterPictures.Specs[((int)rendition + (7 * row)) % CharacterPictures.Count] with { Rendition = rendition })
        .Concat(Enum.GetValues<PropertyChange>().Skip(1).Select(property =>
            CharacterPictures.Specs[((int)property + (5 * row)) % CharacterPictures.Count] with { Property = property })));

    private static IEnumerable<WorldSpec> Two(Func<WorldSpec, WorldSpec> change) => Enumerable.Range(0, 2).Select(i => change(Plain(i)));

    private static IEnumerable<WorldSpec> Kinds(Func<WorldSpec, WorldSpec> change) => Enum.GetValues<SubjectKind>().Select(kind =>
    {
        var poses = SubjectTraits.Poses(kind);
        return change(Plain((int)kind) with { Kind = kind, Pose = poses[(int)kind % poses.Count] });
    });

    private static WorldSpec Plain(int i) => WorldSampler.Draw((ulong)(i + 500)) with
    {
        Rendition = Rendition.Photo,
        Property = PropertyChange.None,
    };

    private static void Write(string folder, string name, IEnumerable<WorldSpec> specs, int columns, Character? character = null)
    {
        var cells = specs.Select(spec => new ContactSheetCell(
            character is null ? WorldRenderer.Render(spec) : WorldRenderer.RenderCharacter(character, spec),
            character is null
                ? Captioner.Describe(spec, spec.DetailSeed)
                : $"{character.Name} {Captioner.Describe(spec, spec.DetailSeed)}"));
        var sheet = ContactSheet.Of(cells, columns) with { Title = name, CellSize = WorldRenderer.DefaultSize };
        ImageEncoder.Save(Path.Combine(folder, name + ".png"), sheet.Render());
    }
}
