using System.Diagnostics;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

/// <summary><c>run</c> ended by SIGKILL: what it leaves in the notebook, on the disk and among the processes.</summary>
[Trait("Category", "Kernel")]
public sealed class KilledRunTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("killed-run-").FullName;

    private string Notebook => Path.Combine(_folder, "a.ipynb");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_KilledAsItsKernelStarts_LeavesNoKernel()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "processes are looked up in /proc");
        Write("System.Threading.Thread.Sleep(100_000);");
        using var run = Start();
        Assert.True(SpinWait.SpinUntil(() => Kernels().Any(), s_patience), "no kernel was started");
        run.Kill();
        Assert.True(SpinWait.SpinUntil(() => !Kernels().Any(), s_patience), "the kernel outlives the run");
    }

    [Fact]
    public void Run_InPlaceKilledInItsSecondCell_KeepsTheFirstAndWhatTheOthersHad()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "processes are looked up in /proc");
        Write("40 + 2", "System.Threading.Thread.Sleep(100_000);", "3");
        using var run = Start();
        var isSaved = SpinWait.SpinUntil(() => Cell(0)["execution_count"]!.ToJsonString() == "1", s_patience);
        Assert.True(isSaved, "the first cell was not saved");
        var id = run.Id;
        run.Kill();
        run.WaitForExit();

        Assert.Equal("42", Cell(0)["outputs"]![0]!["data"]!["text/plain"]![0]!.ToString());
        foreach (var other in new[] { 1, 2 })
        {
            Assert.Null(Cell(other)["execution_count"]);
            Assert.Equal("old", Cell(other)["outputs"]![0]!["text"]!.ToString());
        }

        Assert.Contains("was not executed", NotebookCheck.Of(Notebook)[0], StringComparison.Ordinal);
        File.WriteAllText(FormattableString.Invariant($"{Notebook}.{id}.tmp"), "half a notebook");
        File.WriteAllText(FormattableString.Invariant($"{Notebook}.{Environment.ProcessId}.tmp"), "of a program that runs");
        NotebookDocument.DeleteLeftovers(Notebook);
        Assert.Equal([FormattableString.Invariant($"{Notebook}.{Environment.ProcessId}.tmp")], Directory.GetFiles(_folder, "*.tmp"));
        Assert.True(SpinWait.SpinUntil(() => !Kernels().Any(), s_patience), "the kernel outlives the run");
    }

    // The kernel's command line names its connection file, which lies in the run's own folder for temporary files.
    private IEnumerable<string> Kernels() => Directory.EnumerateDirectories("/proc").Where(p =>
    {
        if (!int.TryParse(Path.GetFileName(p), out _))
            return false;
        try
        {
            var line = File.ReadAllText(Path.Combine(p, "cmdline"));
            return line.Contains("--connection-file", StringComparison.Ordinal) && line.Contains(_folder, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    private Process Start() => Process.Start(new ProcessStartInfo("dotnet", [LabProgram.Assembly, "run", Notebook, "--in-place"])
    {
        Environment = { ["TMPDIR"] = _folder },
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private JsonObject Cell(int index) => JsonNode.Parse(File.ReadAllText(Notebook))!["cells"]![index]!.AsObject();

    private void Write(params string[] cells) => File.WriteAllText(Notebook, new JsonObject
    {
        ["cells"] = new JsonArray([.. cells.Select((c, i) => (JsonNode)new JsonObject
        {
            ["cell_type"] = "code",
            ["execution_count"] = i + 10,
            ["id"] = $"c{i}",
            ["metadata"] = new JsonObject(),
            ["outputs"] = new JsonArray(new JsonObject { ["name"] = "stdout", ["output_type"] = "stream", ["text"] = "old" }),
            ["source"] = c,
        })]),
        ["metadata"] = new JsonObject(),
        ["nbformat"] = 4,
        ["nbformat_minor"] = 5,
    }.ToJsonString());
}
