using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class PreflightTests : IDisposable
{
    private static readonly string _project = ProjectFolder.Find(AppContext.BaseDirectory);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Check_TheMiniaturesRecipe_FindsNoProblem()
    {
        // What is left of this machine's memory depends on the tests that ran before.
        var checks = Preflight.Check(Config(), memory: 8L << 30);
        Assert.True(Preflight.CanStart(checks), string.Join("\n", checks));
        Assert.Contains(
            "that this process may still use, on the CPU", Of(Preflight.Check(Config()), "memory").Message, StringComparison.Ordinal);
        Assert.Equal(["settings", "photos", "resolution", "captions", "model", "disk", "memory"], checks.Select(check => check.Subject));
    }

    [Fact]
    public void Check_LittleMemory_SaysWhatWouldFit()
    {
        PreflightCheck Memory(MemoryMode mode) => Of(Preflight.Check(Config() with { Memory = mode }, memory: 100L << 20), "memory");
        Assert.Equal(PreflightStatus.Problem, Memory(MemoryMode.Fast).Status);
        Assert.Contains("It would fit with", Memory(MemoryMode.Fast).Message, StringComparison.Ordinal);
        Assert.Equal(PreflightStatus.Ok, Memory(MemoryMode.Auto).Status);
        Assert.Contains("in memory mode low", Memory(MemoryMode.Auto).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_FewSmallAndBrokenPhotos_NamesThem()
    {
        ImageEncoder.Save(Path.Combine(_folder.Path, "tiny.png"), new RgbImage(64, 64));
        File.WriteAllText(Path.Combine(_folder.Path, "broken.png"), "no picture");
        var checks = Preflight.Check(Config() with { InstanceDataDir = _folder.Path, PretrainedModelNameOrPath = _folder.Path });
        Assert.False(Preflight.CanStart(checks));
        Assert.Contains("broken.png", Of(checks, "photos").Message, StringComparison.Ordinal);
        Assert.Equal(PreflightStatus.Warning, Of(checks, "resolution").Status);
        Assert.Contains("tiny.png", Of(checks, "resolution").Message, StringComparison.Ordinal);
        Assert.Equal(PreflightStatus.Problem, Of(checks, "model").Status);
    }

    [Fact]
    public void Check_CaptionsOfSomePhotosAndFoldersInside_WarnsOfTheRest()
    {
        foreach (var name in new[] { "a.png", "b.png", "more/c.png" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder.Path, name))!);
            ImageEncoder.Save(Path.Combine(_folder.Path, name), new RgbImage(64, 64));
        }

        File.WriteAllText(Path.Combine(_folder.Path, "a.TXT"), "gmc cat asleep");
        var checks = Preflight.Check(Config() with { InstanceDataDir = _folder.Path });
        var captions = Of(checks, "captions");
        Assert.Equal(PreflightStatus.Warning, captions.Status);
        Assert.Contains(
            "1 of 2 pictures have no caption of their own and are trained on the instance prompt: b.png.", captions.Message,
            StringComparison.Ordinal);
        Assert.Contains(" 1 in subfolders are not read: more/c.png.", Of(checks, "photos").Message, StringComparison.Ordinal);
    }

    private static PreflightCheck Of(IReadOnlyList<PreflightCheck> checks, string subject) =>
        checks.Single(check => check.Subject == subject);

    private DreamBoothConfig Config()
    {
        var path = Path.Combine(_project, "data", "recipes", "gmc-cat.json");
        return DreamBoothConfig.FromJson(File.ReadAllText(path), path) with
        {
            PretrainedModelNameOrPath = Path.Combine(_project, "data", "sd3-mini"),
            InstanceDataDir = Path.Combine(_project, "data", "cat_gmc"),
            OutputDir = Path.Combine(_folder.Path, "out"),
        };
    }
}
