using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class CharacterMeasuresTests : IDisposable
{
    private readonly CharacterMeasures _measures = CharacterMeasures.Load(Data("sd3-mini-classifier"), Data("cat_gmc"));

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
    public void Score_Graded_IsAProbabilityWhereItWasAYesOrNo()
    {
        using var graded = CharacterMeasures.Load(Data("sd3-mini-classifier"), Data("cat_gmc"), graded: true);
        var picture = ImageDecoder.Load(Path.Combine(Data("cat_gmc"), "gmc_000.png"));
        const string Prompt = "a photo of gmc cat in the snow";
        var (plain, fine) = (_measures.Score(Prompt, picture), graded.Score(Prompt, picture));
        Assert.Equal(plain[CharacterReading.FidelityScore], fine[CharacterReading.FidelityScore]);
        Assert.InRange(Math.Abs(plain[CharacterReading.AdherenceScore] - fine[CharacterReading.AdherenceScore]), 1e-9, 0.5);
        Assert.NotEqual(_measures.Name, graded.Name);
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
