using System.Text.Json.Nodes;
using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Tests.Cli;

[Trait("Category", "Kernel")]
public sealed class RunVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("run-verb-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Check_NotebookThatDidNotRun_IsNamedWithExitCodeOne()
    {
        var path = Notebook("a.ipynb", "1 + 1", null);
        var (code, output, error) = Run("run", path, "--check");
        Assert.Equal(1, code);
        Assert.Contains($"{path}: cell 1 (1 + 1) was not executed", error, StringComparison.Ordinal);
        Assert.Contains($"{path}: NOT IN ORDER", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_NotebookInOrder_Succeeds()
    {
        const string Hash = "72fce59447a01f488b1169d2d742679cfe306a89772d67fef018bcfe95431f68";
        var path = Notebook("a.ipynb", "1 + 1", 1, new JsonObject { ["outputs"] = 0, ["source_sha256"] = Hash });
        var (code, output, error) = Run("run", path, "--check");
        Assert.True(code == 0, output + error);
    }

    [Fact]
    public void Check_WithInPlace_IsRefused()
    {
        var (code, _, error) = Run("run", Notebook("a.ipynb", "1", null), "--check", "--in-place");
        Assert.Equal(2, code);
        Assert.Contains("--check executes nothing", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_TwoNotebooksOfOneName_IsRefused()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "b"));
        Notebook("a.ipynb", "1", null);
        Notebook("b/a.ipynb", "1", null);
        var (code, _, error) = Run("run", _folder, "--output", Path.Combine(_folder, "out"));
        Assert.Equal(2, code);
        Assert.Contains("Two notebooks would be written to", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1e308", "1E+308")]
    [InlineData("-1", "-1")]
    [InlineData("0", "0")]
    [InlineData("nan", "NaN")]
    public void Timeout_NoLengthOfTime_IsRefused(string seconds, string shown)
    {
        var (code, output, error) = Run("run", Notebook("a.ipynb", "1", null), "--timeout", seconds);
        Assert.Equal(
            (2, "", $"error: --timeout is {shown}; valid is more than 0 and at most 2592000 seconds.{Environment.NewLine}"),
            (code, output, error));
    }

    [Fact]
    public void Output_FolderThatCannotBe_IsRefusedBeforeTheFirstCell()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "x");
        var (code, output, error) = Run("run", Notebook("a.ipynb", "1", null), "--output", file);
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith(
            $"error: {Path.Combine(file, "a.ipynb")} cannot be written, and no cell was run: ", error, StringComparison.Ordinal);
    }

    private string Notebook(string name, string source, int? count, JsonObject? stamp = null)
    {
        var json = new JsonObject
        {
            ["cells"] = new JsonArray(new JsonObject
            {
                ["cell_type"] = "code",
                ["execution_count"] = count,
                ["id"] = "c",
                ["metadata"] = stamp is null ? new JsonObject() : new JsonObject { ["lab"] = stamp },
                ["outputs"] = new JsonArray(),
                ["source"] = source,
            }),
            ["metadata"] = new JsonObject(),
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(args, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }
}
