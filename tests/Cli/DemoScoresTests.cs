using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class DemoScoresTests : IDisposable
{
    private readonly string _output = Directory.CreateTempSubdirectory("lab-scores-").FullName;

    public void Dispose() => Directory.Delete(_output, recursive: true);

    [Fact]
    public void Tables_ScoredSweeps_TellPhotosByNameFromOthersAndFamilies()
    {
        var folder = Folder();
        Write(
            folder, DemoRun.Before, ("a photo of gmc cat", 0.80, 0, null), ("a photo of gmc cat on a beach", 0.82, 0, 1),
            ("an origami gmc cat", 0.10, 0, 1), ("a photo of a cat", 0.70, 0, null));
        Write(
            folder, DemoRun.After, ("a photo of gmc cat", 0.90, 1, null), ("a photo of gmc cat on a beach", 0.92, 1, 1),
            ("an origami gmc cat", 0.20, 0, 0), ("a photo of a cat", 0.71, 0, null));
        Write(folder, "art", ("pixel art of gmc cat", 0.5, 1, 1), ("a mosaic of gmc cat", 0.7, 0, 1));

        var tables = new DemoScores(folder, "gmc cat", 0.94).Tables().Cast<TextTable>().ToArray();

        Assert.Equal(
            [
                ["Fidelity of photos of gmc cat", "0.810", "0.910", "0.940"],
                ["“This cat”, in photos by its name", "0 %", "100 %", "–"],
                ["“This cat”, without its name", "0 %", "0 %", "–"],
                ["Adherence", "100 %", "50 %", "–"],
            ],
            tables[0].Rows);
        Assert.Equal(["Rendered as art", "2", "100 %", "50 %", "0.600"], tables[1].Rows[1]);
        Assert.Equal(["New places", "0", "–", "–", "–"], tables[1].Rows[0]);
    }

    [Fact]
    public void Tables_NothingScored_AreNone() => Assert.Empty(new DemoScores(Folder(), "gmc cat", null).Tables());

    private DemoFolder Folder() => DemoFolder.Open(
        new DemoOptions
        {
            Training = new DreamBoothConfig
            {
                PretrainedModelNameOrPath = Path.Combine(GoldenSet.SmallRoot, "pipelines", "tiny-sd35m"),
                InstanceDataDir = _output,
                InstancePrompt = "a photo of gmc cat",
            },
            Output = Path.Combine(_output, "demo"),
            Prompts = _output,
        },
        fresh: false);

    private static void Write(
        DemoFolder folder, string sweep, params (string Prompt, double Fidelity, double Identity, double? Adherence)[] pictures)
    {
        for (var i = 0; i < pictures.Length; i++)
        {
            var (prompt, fidelity, identity, adherence) = pictures[i];
            var scores = new Dictionary<string, double>
            {
                [CharacterReading.FidelityScore] = fidelity,
                [CharacterReading.IdentityScore] = identity,
            };
            if (adherence is { } value)
                scores[CharacterReading.AdherenceScore] = value;
            AtomicFile.WriteAllText(Path.Combine(folder.Sweep(sweep), $"{i}.png"), "x");
            SweepLog.Append(
                folder.Sweep(sweep),
                [new SweepResult { Path = $"{i}.png", Item = new SweepItem { Prompt = prompt }, Seconds = 1, Scores = scores }]);
        }
    }
}
