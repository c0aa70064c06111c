using System.Text.Json.Nodes;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Notebooks;

/// <summary>
/// The notebooks that judge pictures, with <c>Full</c> on the committed pipeline and small encoders: every cell runs, and no chart is
/// empty. They run in a project of their own, since <c>Full</c> has its folders of outputs.
/// </summary>
public sealed class FullNotebookTests : IDisposable
{
    private readonly string _project = Directory.CreateTempSubdirectory("lab-full-").FullName;

    public FullNotebookTests()
    {
        foreach (var folder in new[] { "data/prompts", "data/recipes", "data/cat_gmc" })
            Copy(folder);
        // Of 24 prompts the first ones; each is generated in the same way.
        foreach (var list in Directory.GetFiles(Path.Combine(_project, "data", "prompts"), "*.txt"))
            File.WriteAllLines(list, File.ReadLines(list).Take(3).ToArray());
        SaveLora("run/checkpoint-1", 1);
        SaveLora("run", 2);
    }

    public void Dispose() => Directory.Delete(_project, recursive: true);

    [Theory]
    [Trait("Category", "Notebooks")]
    [InlineData("03-recontextualize", "lora")]
    [InlineData("04-render-as-art", "lora")]
    [InlineData("05-modify-properties", "lora")]
    [InlineData("06-compare-and-choose", "run")]
    public void Run_NotebookWithTheFullPresetAndSmallModels_JudgesEveryPicture(string name, string lora)
    {
        Directory.CreateDirectory(Path.Combine(_project, "notebooks"));
        var notebook = Path.Combine(_project, "notebooks", name + ".ipynb");
        File.Copy(Path.Combine(GoldenSet.RepositoryRoot, "notebooks", name + ".ipynb"), notebook);
        using var encoders = new SmallEncoders();
        var (code, output) = NotebookSeriesTests.RunVerb(
            [("LAB_TOKENIZERS", TinyTokenizers.Root)],
            [
                notebook, "-p", "preset=Full", "-p", $"model={TinyPipeline.Folder}", "-p", $"{lora}=run", "-p", $"dino={encoders.Dino}",
                "-p", $"clip={encoders.Clip}", "--in-place", "--quiet",
            ],
            _project);
        Assert.True(code == 0, output);
        var shown = string.Join('\n', Texts(JsonNode.Parse(File.ReadAllBytes(notebook))!));
        Assert.Contains("DINO dino-vit, CLIP small-clip, protocol published", shown, StringComparison.Ordinal);
        Assert.Contains(name.StartsWith("06", StringComparison.Ordinal) ? "CLIP-T" : "clip_t", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("no values", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("none:", shown, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Texts(JsonNode notebook) =>
        from cell in notebook["cells"]!.AsArray()
        where cell!["outputs"] is not null
        from shown in cell["outputs"]!.AsArray()
        let text = shown!["data"]?["text/plain"]
        where text is not null
        select text is JsonArray lines ? string.Concat(lines.Select(line => line!.ToString())) : text.ToString();

    private void Copy(string folder)
    {
        var source = Path.Combine(GoldenSet.RepositoryRoot, folder);
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(_project, folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private void SaveLora(string folder, ulong seed)
    {
        using var pipeline = TinyPipeline.Load();
        var transformer = pipeline.LoraComponents.Single(component => component.Prefix == "transformer");
        using var adapter = LoraAdapter.Create(
            "test", [(transformer, new LoraConfig { TargetModules = LoraConfig.TransformerTargets })], seed, CPU, ScalarType.Float32);
        LoraFile.Save(Path.Combine(_project, folder, LoraFile.DefaultName), adapter);
        File.WriteAllText(Path.Combine(_project, folder, "steps.jsonl"), string.Empty);
    }
}
