using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

[Trait("Category", "Kernel")]
public sealed class NotebookCheckTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("check-").FullName, "a.ipynb");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public void Of_NotebookExecutedByTheRunner_FindsNothingAndAgainLeavesTheSameBytes()
    {
        WriteNotebook("var a = 1;", "a", "throw new Exception(\"on purpose\");");
        Edit(cells => cells[2]!["metadata"]!["tags"] = new JsonArray("raises-exception"));
        Assert.Equal(3, NotebookCheck.Of(_path).Count);
        RunInPlace();
        Assert.Empty(NotebookCheck.Of(_path));
        var first = File.ReadAllBytes(_path);
        RunInPlace();
        Assert.Equal(first, File.ReadAllBytes(_path));
        var metadata = JsonNode.Parse(first)!["metadata"]!;
        Assert.Equal((".net-csharp", "C#"), (metadata["kernelspec"]!["name"]!.ToString(), metadata["language_info"]!["name"]!.ToString()));
    }

    [Fact]
    public void Of_ExecutedNotebook_FindsEveryLaterChange()
    {
        WriteNotebook("var a = 1;", "a", "a + 1");
        RunInPlace();
        var good = File.ReadAllBytes(_path);
        Finds("cell 2 (a + 2) was changed after it was executed", cells => cells[1]!["source"] = "a + 2");
        Finds("cell 3 (a + 1) was not executed", cells => cells[2]!["execution_count"] = null);
        Finds("cell 1 (var a = 1;) was executed as number 9, not 1", cells => cells[0]!["execution_count"] = 9);
        Finds("cell 2 (a) gave 1 outputs when it was executed; 0 are in the file", cells => cells[1]!["outputs"] = new JsonArray());
        Finds("cell 2 (a) does not say which code its outputs are from", cells => cells[1]!["metadata"] = new JsonObject());
        Finds("cell 3 (a + 1) failed", cells => cells[2]!["outputs"]![0]!["output_type"] = "error");
        Assert.Contains(
            $"the file has {new FileInfo(_path).Length:N0} bytes; at most 100 are allowed", Assert.Single(NotebookCheck.Of(_path, 100)),
            StringComparison.Ordinal);

        void Finds(string expected, Action<JsonArray> edit)
        {
            File.WriteAllBytes(_path, good);
            Edit(edit);
            Assert.StartsWith(expected, Assert.Single(NotebookCheck.Of(_path)), StringComparison.Ordinal);
            File.WriteAllBytes(_path, good);
        }
    }

    [Fact]
    public void Of_OtherLineEndsAndSplitLines_IsTheSameSource()
    {
        WriteNotebook("var a = 1;\na");
        RunInPlace();
        Edit(cells => cells[0]!["source"] = new JsonArray("var a = 1;\r\n", "a"));
        Assert.Empty(NotebookCheck.Of(_path));
    }

    [Fact]
    public void Run_InPlace_KeepsMetadataThatItDoesNotKnow()
    {
        WriteNotebook("1");
        Edit(
            cells => cells[0]!["metadata"] = new JsonObject
            {
                ["a"] = 1.50,
                ["lab"] = new JsonObject { ["own"] = true },
                ["tags"] = new JsonArray("x"),
            });
        RunInPlace();
        var metadata = JsonNode.Parse(File.ReadAllBytes(_path))!["cells"]![0]!["metadata"]!.AsObject();
        Assert.Equal(["a", "lab", "tags"], metadata.Select(m => m.Key));
        Assert.Equal(["own", "outputs", "source_sha256"], metadata["lab"]!.AsObject().Select(m => m.Key));
    }

    private void RunInPlace() => new NotebookRunner(KernelUnderTest.Launch, new RunOptions()).Run(_path, _ => { }).Notebook.Save(_path);

    private void WriteNotebook(params string[] cells)
    {
        var json = new JsonObject
        {
            ["cells"] = new JsonArray([.. cells.Select((c, i) => (JsonNode)new JsonObject
            {
                ["cell_type"] = "code", ["execution_count"] = null, ["id"] = $"c{i}", ["metadata"] = new JsonObject(),
                ["outputs"] = new JsonArray(), ["source"] = c,
            })]),
            ["metadata"] = new JsonObject(),
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        File.WriteAllText(_path, json.ToJsonString(new() { WriteIndented = true, IndentSize = 1 }));
    }

    private void Edit(Action<JsonArray> edit)
    {
        var json = JsonNode.Parse(File.ReadAllBytes(_path))!;
        edit(json["cells"]!.AsArray());
        File.WriteAllText(_path, json.ToJsonString());
    }
}
