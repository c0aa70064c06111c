using Dreambooth.Lab.Lessons;

namespace Dreambooth.Lab.Tests.Lessons;

public sealed class TrainingLeftoverTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-leftover-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Delete_ATrainingsFolder_KeepsTheLoraAndItsRecords()
    {
        var config = NotebookPreset.Tiny.OwnSubject().Config with { OutputDir = _folder, ClassDataDir = Path.Combine(_folder, "class/") };
        foreach (var (name, bytes) in new[] { ("class/a.png", 30), ("checkpoint-2/b.bin", 20), ("photos/c.png", 10) })
        {
            Directory.CreateDirectory(Path.Combine(_folder, Path.GetDirectoryName(name)!));
            File.WriteAllBytes(Path.Combine(_folder, name), new byte[bytes]);
        }

        foreach (var name in new[] { "pytorch_lora_weights.safetensors", "recipe.json", "steps.jsonl" })
            File.WriteAllBytes(Path.Combine(_folder, name), new byte[5]);
        var leftovers = TrainingLeftover.Of(config);
        Assert.Equal([30, 20, 10, 5, 5, 5], leftovers.Select(leftover => leftover.Bytes));
        Assert.Contains("class pictures", leftovers[0].What, StringComparison.Ordinal);
        Assert.Equal(60, TrainingLeftover.Delete(leftovers));
        Assert.Equal(
            ["pytorch_lora_weights.safetensors", "recipe.json", "steps.jsonl"],
            Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }
}
