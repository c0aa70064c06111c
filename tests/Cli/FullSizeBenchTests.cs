using System.Text.Json;
using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class FullSizeBenchTests
{
    [Fact]
    public void Run_TinyOnTheProcessor_TimesEveryRowAndSaysOnWhat()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        try
        {
            using var output = new StringWriter();
            using var error = new StringWriter();
            var code = LabCommandLine.Run(["bench", "full-size", "--tiny", "--device=cpu", "--repeats=2", $"--json={path}"], new Session(output, error, IsInteractive: false, CancellationToken.None));
            Assert.Equal((0, 8), (code, error.ToString().Split("measuring: ").Length - 1));
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            var rows = json.RootElement.GetProperty("rows").EnumerateArray().ToList();
            Assert.Equal(8, rows.Count);
            Assert.All(rows, row =>
            {
                Assert.True(row.GetProperty("milliseconds").GetDouble() > 0);
                Assert.Contains(row.GetProperty("work").GetString()!, output.ToString(), StringComparison.Ordinal);
            });
            Assert.Equal("the processor", json.RootElement.GetProperty("device").GetString());
            Assert.NotEmpty(json.RootElement.GetProperty("libtorch").GetString()!);
            Assert.NotEmpty(json.RootElement.GetProperty("lab").GetString()!);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Run_FullSizeOnTheProcessor_IsRefused()
    {
        using var error = new StringWriter();
        Assert.Equal(1, LabCommandLine.Run(["bench", "full-size", "--device=cpu"], new Session(TextWriter.Null, error, IsInteractive: false, CancellationToken.None)));
        Assert.Contains("--tiny", error.ToString(), StringComparison.Ordinal);
    }
}
