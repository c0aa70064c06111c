using System.Text;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

[Trait("Category", "Kernel")]
public sealed class NotebookRunnerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("run-").FullName;

    public static TheoryData<string> Fixtures =>
        [.. Directory.EnumerateFiles(KernelUnderTest.Fixtures, "*.ipynb").Select(f => Path.GetFileName(f)!).Order()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Each code cell of the fixtures names in its metadata what its outputs must contain.
    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Run_FixtureNotebook_ShowsWhatEachCellExpects(string name)
    {
        var result = Run(Path.Combine(KernelUnderTest.Fixtures, name), new RunOptions());
        Assert.Empty(result.Failures);
        var cells = JsonNode.Parse(result.Notebook.ToBytes())!["cells"]!.AsArray();
        foreach (var cell in cells.Where(c => c!["metadata"]!["expect"] is not null))
        {
            foreach (var (type, expected) in cell!["metadata"]!["expect"]!.AsObject())
                Assert.Contains(expected!.ToString(), Shown(cell["outputs"]!.AsArray(), type), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Run_WithParameters_InjectsThemAfterTheTaggedCellAndReplacesThemLater()
    {
        var options = new RunOptions { Parameters = new Dictionary<string, string> { ["rate"] = "0.5", ["label"] = "mine" } };
        var first = Run(Path.Combine(KernelUnderTest.Fixtures, "14-parameters.ipynb"), options);
        var path = Path.Combine(_folder, "out.ipynb");
        first.Notebook.Save(path);
        var cells = NotebookDocument.Load(path).Cells;
        Assert.Equal([ParameterCell.InjectedTag], cells[2].Tags);
        Assert.Contains("mine: 3 steps at 0.5", File.ReadAllText(path), StringComparison.Ordinal);

        Run(path, options with { Parameters = new Dictionary<string, string> { ["steps"] = "9" } }).Notebook.Save(path);
        Assert.Equal(cells.Count, NotebookDocument.Load(path).Cells.Count);
        Assert.Contains("default: 9 steps", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_FailingCell_StopsThereUnlessErrorsAreAllowed()
    {
        var path = Notebook("1 + 1", "throw new InvalidOperationException(\"boom\");", "3");
        var stopped = Run(path, new RunOptions());
        var failure = Assert.Single(stopped.Failures);
        Assert.Equal((2, 2), (failure.Cell, stopped.CellsRun));
        Assert.Contains("boom", failure.Message, StringComparison.Ordinal);
        Assert.Contains("In[2]: line 1", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, Run(path, new RunOptions { AllowErrors = true }).CellsRun);
    }

    [Fact]
    public void Run_CellThatTakesTooLong_IsEndedAndNamed()
    {
        var result = Run(Notebook("System.Threading.Thread.Sleep(60_000);"), new RunOptions { CellTimeout = TimeSpan.FromSeconds(3) });
        Assert.Contains("--timeout", Assert.Single(result.Failures).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_CrashOfNativeCode_IsReportedWithItsCell()
    {
        var result = Run(Notebook("1", "Environment.FailFast(\"ended on purpose\");", "2"), new RunOptions { AllowErrors = true });
        var failure = Assert.Single(result.Failures);
        Assert.Equal((2, 2), (failure.Cell, result.CellsRun));
        Assert.Contains("SIGABRT", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ended on purpose", failure.Message, StringComparison.Ordinal);
    }

    private string Notebook(params string[] cells)
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
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.ipynb");
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    private static RunResult Run(string path, RunOptions options) =>
        new NotebookRunner(KernelUnderTest.Launch, options).Run(path, _ => { });

    private static string Shown(JsonArray outputs, string type)
    {
        var text = new StringBuilder();
        foreach (var output in outputs)
        {
            var content = type == "stream" ? output!["text"] : output!["data"]?[type];
            text.Append(content is JsonArray lines ? string.Concat(lines.Select(l => l!.ToString())) : content?.ToString()).Append('\n');
        }

        return text.ToString();
    }
}
