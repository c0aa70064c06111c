using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

/// <summary><c>run --engine official</c> as a process of its own: it changes the working folder.</summary>
[Trait("Category", "Kernel")]
public sealed class OfficialRunnerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("official-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_CellsThatDifferAndOneThatFails_SaysWhichAndHow()
    {
        var (code, output) = await Run(
            ("var x = 20;\nConsole.WriteLine(x);", null),
            ("x + 1", null),
            ("new[] { 1, 2 }", null),
            ("Console.Write(Environment.StackTrace.Contains(\"CellRun\"));", null),
            ("\"kept for one kernel\"", "own-kernel"),
            ("throw new InvalidOperationException(\"boom\");", "raises-exception"),
            ("if (!Environment.StackTrace.Contains(\"CellRun\")) throw new Exception(\"only there\");", null),
            ("#!who", null),
            ("#!fsharp\n1", null),
            ("#!time\nConsole.WriteLine(\"late\");", null));
        string[] expected =
        [
            "[1/10] var x = 20;: same", "[2/10] x + 1: same", "[3/10] new[] { 1, 2 }: same",
            "[4/10] Console.Write(Environment.StackTrace.Contains(\"CellRun\"));: stdout: official 'False', own 'True'",
            "[5/10] \"kept for one kernel\": not run on the official kernel (own-kernel)",
            "[6/10] throw new InvalidOperationException(\"boom\");: same",
            "[7/10] if (!Environment.StackTrace.Contains(\"CellRun\")) throw new Exception(\"only there\");: official fails: "
            + "System.Exception: only there",
            "[8/10] #!who: same",
            "[9/10] #!fsharp: not compared (F# is in the official tool, not in its packages)",
            "[10/10] #!time: same",
        ];
        Assert.Equal(expected, output.Split('\n').Where(line => line.StartsWith('[')));
        Assert.Contains("10 cells, 4 differ, 1 fail on the official kernel", output, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    private async Task<(int Code, string Output)> Run(params (string Code, string? Tag)[] cells)
    {
        var json = new JsonObject
        {
            ["cells"] = new JsonArray([.. cells.Select((c, i) => (JsonNode)new JsonObject
            {
                ["cell_type"] = "code",
                ["execution_count"] = null,
                ["id"] = $"c{i}",
                ["metadata"] = new JsonObject { ["tags"] = c.Tag is null ? [] : new JsonArray(c.Tag) },
                ["outputs"] = new JsonArray(),
                ["source"] = c.Code,
            })]),
            ["metadata"] = new JsonObject(),
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        var path = Path.Combine(_folder, "n.ipynb");
        await File.WriteAllTextAsync(path, json.ToJsonString());
        var start = new ProcessStartInfo("dotnet", [LabProgram.Assembly, "run", "--engine", "official", path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }
}
