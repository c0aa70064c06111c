using System.Text.Json;
using Dreambooth.Lab.Bench;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Bench;

public sealed class FullSizeBenchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_TinyOnTheProcessor_TimesEveryRowAndSaysOnWhat()
    {
        var path = Path.Combine(_folder.Path, "rows.jsonl");
        var (code, output, error) = Bench(
            "--tiny", "--device=cpu", "--repeats=2", $"--rows={string.Join(',', FullSizeBenchmark.Names)}", $"--json={path}");
        Assert.Equal(
            (0, string.Empty),
            (code, string.Concat(error.Split('\n').Where(line => !line.StartsWith("measuring: ", StringComparison.Ordinal)))));
        var rows = Rows(path);
        Assert.Equal(FullSizeBenchmark.Names, rows.Select(row => row.GetProperty("row").GetString()));
        Assert.All(rows, row =>
        {
            var result = row.GetProperty("result");
            Assert.True(result.GetProperty("milliseconds").GetDouble() > 0);
            Assert.Equal(JsonValueKind.Null, result.GetProperty("allocated_peak").ValueKind);
            Assert.NotEmpty(result.GetProperty("figure").GetString()!);
            Assert.Contains(result.GetProperty("work").GetString()!, output, StringComparison.Ordinal);
            Assert.Equal("the processor", row.GetProperty("device").GetString());
            Assert.NotEmpty(row.GetProperty("libtorch").GetString()!);
            Assert.NotEmpty(row.GetProperty("lab").GetString()!);
        });
    }

    [Fact]
    public void Run_ChosenRows_AreMeasuredAloneAndAdded()
    {
        var path = Path.Combine(_folder.Path, "rows.jsonl");
        foreach (var row in (string[])["vae-decode", "forward-b2-small"])
            Assert.Equal(0, Bench("--tiny", "--device=cpu", "--repeats=1", $"--rows={row}", $"--json={path}").Code);
        Assert.Equal(["vae-decode", "forward-b2-small"], Rows(path).Select(row => row.GetProperty("row").GetString()));
        var (code, _, error) = Bench("--tiny", "--device=cpu", "--rows=vae-decode,forward");
        Assert.Equal(2, code);
        Assert.Contains("forward-b2-large", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ModelFolderThatCannotBeWrittenWhole_IsNotTakenForWholeNextTime()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "text_encoder_3", "model.safetensors"));
        using var starts = new StartBench(FullSizeBenchmarkOptions.Tiny, _folder.Path, ["dotnet", LabProgram.Assembly]);
        Assert.NotNull(starts.Run("start").Failure);
        Assert.True(File.Exists(Path.Combine(_folder.Path, "transformer", "diffusion_pytorch_model.safetensors")));
        Assert.False(File.Exists(Path.Combine(_folder.Path, "model_index.json")));
    }

    [Fact]
    public void Run_TheProgramOnARandomModel_IsTimedToItsFirstStep()
    {
        using var starts = new StartBench(FullSizeBenchmarkOptions.Tiny, _folder.Path, ["dotnet", LabProgram.Assembly]);
        var row = starts.Run("start");
        Assert.Null(row.Failure);
        Assert.Equal(3, row.Times.Count);
        Assert.True(row.Milliseconds > 50);
        var whole = starts.Run("pictures-process");
        Assert.Null(whole.Failure);
        Assert.True(whole.Milliseconds > row.Milliseconds / 2);
        Assert.True(File.Exists(Path.Combine(_folder.Path, "model_index.json")));
    }

    [Fact]
    public void Run_AProgramThatFails_IsARowWithItsReason()
    {
        using var starts = new StartBench(FullSizeBenchmarkOptions.Tiny, _folder.Path, ["dotnet", Path.Combine(_folder.Path, "none.dll")]);
        var row = starts.Run("start");
        Assert.Null(row.Milliseconds);
        Assert.StartsWith("generate ended with code", row.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_FullSizeOnTheProcessor_IsRefused()
    {
        var (code, _, error) = Bench("--device=cpu");
        Assert.Equal(1, code);
        Assert.Contains("--tiny", error, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Bench(params string[] flags)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(
            ["full-size", .. flags], new Session(output, error, IsInteractive: false, CancellationToken.None), BenchCommandLine.Create);
        return (code, output.ToString(), error.ToString());
    }

    private static List<JsonElement> Rows(string path) => [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
}
