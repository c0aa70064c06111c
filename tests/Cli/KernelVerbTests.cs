using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Tests.Cli;

[Trait("Category", "Kernel")]
public sealed class KernelVerbTests : IDisposable
{
    private readonly string _prefix = Directory.CreateTempSubdirectory("kernel-verb-").FullName;

    private string Kernels => Path.Combine(_prefix, "share", "jupyter", "kernels");

    public void Dispose() => Directory.Delete(_prefix, recursive: true);

    [Fact]
    public void Install_WithoutAName_AlsoTakesTheNameThatNotebooksCarryAndUninstallRemovesBoth()
    {
        Assert.Equal(0, Run("kernel", "install", "--prefix", _prefix).Code);
        Assert.Equal([".net-csharp", "dreambooth-lab"], Installed());
        var (code, output, _) = Run("kernel", "uninstall", "--prefix", _prefix);
        Assert.Equal((0, 2), (code, output.Split("Removed").Length - 1));
        Assert.Empty(Installed());
    }

    [Fact]
    public void Install_NameOfAnotherProgram_IsLeftAlone()
    {
        var other = Directory.CreateDirectory(Path.Combine(Kernels, ".net-csharp")).FullName;
        const string Spec = """{"argv": ["other"], "display_name": ".NET (C#)", "language": "C#"}""";
        File.WriteAllText(Path.Combine(other, "kernel.json"), Spec);
        Assert.Equal(0, Run("kernel", "install", "--prefix", _prefix).Code);
        Assert.Equal([".net-csharp", "dreambooth-lab"], Installed());
        Assert.Equal(Spec, File.ReadAllText(Path.Combine(other, "kernel.json")));
    }

    [Fact]
    public void Start_NoOutputAllowed_IsAUsageError()
    {
        var (code, _, error) = Run("kernel", "start", "--connection-file", "none.json", "--max-output", "0");
        Assert.Equal(2, code);
        Assert.Contains("--max-output is 0; valid is at least 1", error, StringComparison.Ordinal);
    }

    private IEnumerable<string?> Installed() =>
        Directory.EnumerateDirectories(Kernels).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(args, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }
}
