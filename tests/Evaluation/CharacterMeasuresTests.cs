using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class CharacterMeasuresTests : IDisposable
{
    private readonly CharacterMeasures _measures = CharacterMeasures.Open(Data("sd3-mini-classifier"), Data("cat_gmc"), Data("sd3-mini"));

    public void Dispose() => _measures.Dispose();

    [Fact]
    public void Read_DrawingOfTheCharacter_IsItAndShowsItsScene()
    {
        var spec = CharacterPictures.Specs[0];
        var picture = WorldRenderer.RenderCharacter(Character.GmcCat, spec);
        var reading = _measures.Read("a photo of gmc cat in a forest", picture);
        Assert.True(reading.IsCharacter);
        Assert.InRange(reading.Fidelity, _measures.Ceiling - 0.05, 1);
        Assert.Equal(("Forest", "Cat"), (reading.Asked["scene"], reading.Read["kind"]));
        Assert.Equal(spec.Scene == SceneKind.Forest ? 1 : 0, reading.Adherence);
    }

    [Fact]
    public void Read_DrawingOfAnotherAnimal_IsFartherAway()
    {
        var dog = WorldRenderer.Render(new WorldSpec { Kind = SubjectKind.Dog, Colour = SubjectColour.Red, Scene = SceneKind.Beach });
        var reading = _measures.Read("a photo of gmc cat in the snow", dog);
        Assert.False(reading.IsCharacter);
        Assert.InRange(reading.Fidelity, -1, _measures.Ceiling - 0.1);
        Assert.Equal((0, "scene Snow, read Beach"), (reading.Adherence, reading.Missed));
    }

    [Fact]
    public void Score_PromptThatSaysNothing_HasNoAdherence()
    {
        var picture = ImageDecoder.Load(Path.Combine(GoldenSet.RepositoryRoot, "data", "cat_gmc", "gmc_000.png"));
        var scores = _measures.Score("a photo of gmc cat", picture);
        Assert.Equal(1, scores[CharacterReading.IdentityScore]);
        Assert.False(scores.ContainsKey(CharacterReading.AdherenceScore));
    }

    [Fact]
    public void Open_NoClassifier_KnowsNothing()
    {
        using var measures = CharacterMeasures.Open(null, "/nowhere", "maker/model");
        Assert.False(measures.Known);
        Assert.Null(measures.Judge);
        Assert.True(double.IsNaN(measures.Ceiling));
        Assert.Empty(measures.Misses(new SweepOutcome("s", "nowhere", [], 0, 0)));
        Assert.Throws<LabException>(() => measures.Read("a cat", new RgbImage(8, 8)));
    }

    [Fact]
    public void Open_AnotherModelThanTheListed_IsRefused()
    {
        var folder = Directory.CreateTempSubdirectory("lab-measures-").FullName;
        try
        {
            File.Copy(Path.Combine(Data("sd3-mini"), MiniatureFolder.ManifestName), Path.Combine(folder, MiniatureFolder.ManifestName));
            Assert.Throws<LabException>(() => CharacterMeasures.Open(Data("sd3-mini-classifier"), Data("cat_gmc"), folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Load_NoPictures_SaysHowManyAreNeeded()
    {
        var error = Assert.Throws<LabException>(
            () => CharacterMeasures.Load(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini-classifier"), "/nowhere"));
        Assert.Contains("at least 2", error.Message, StringComparison.Ordinal);
    }

    private static string Data(string name) => Path.Combine(GoldenSet.RepositoryRoot, "data", name);
}
