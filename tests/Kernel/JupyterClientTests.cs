using System.Diagnostics;
using Dreambooth.Lab.Kernel.Installation;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>Real Jupyter clients: Debian's jupyter-client and nbconvert. Skipped where they are not installed.</summary>
[Trait("Category", "Kernel")]
public sealed class JupyterClientTests : IDisposable
{
    private const string Name = "kernel-under-test";
    private readonly string _folder = Directory.CreateTempSubdirectory("jupyter-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Transcript_PythonClient_IsSatisfied()
    {
        var (code, output) = Run(
            "/usr/bin/python3", Path.Combine(Golden.GoldenSet.RepositoryRoot, "tests", "fixtures", "jupyter", "transcript.py"), Name);
        Assert.True(code == 0, output);
        Assert.Contains("all checks passed", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Nbconvert_EveryFixtureNotebook_Executes()
    {
        // One notebook with every feature that needs no file beside it: starting a kernel for each would take most of the time.
        var features = Path.Combine(KernelUnderTest.Fixtures, "parts", "every-feature.ipynb");
        var (code, output) = Run(
            "/usr/bin/jupyter", "nbconvert", "--to", "notebook", "--execute", $"--ExecutePreprocessor.kernel_name={Name}", "--output-dir",
            _folder, features);
        Assert.True(code == 0, output);
        var text = File.ReadAllText(Path.Combine(_folder, "every-feature.ipynb"));
        foreach (var expected in new[] { "<li>two</li>", "Wall time", "step 3", "from a child process", "on purpose", "matched",
            "<em>1|2</em>" })
            Assert.Contains(expected, text, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output) Run(params string[] command)
    {
        Assert.SkipUnless(
            File.Exists("/usr/bin/jupyter"),
            "/usr/bin/jupyter is not installed (Debian packages jupyter-client, jupyter-nbconvert, jupyter-notebook)");
        KernelSpecs.Install(Path.Combine(_folder, "kernels"), Name, "C# under test", KernelUnderTest.Launch);
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
            Environment = { ["JUPYTER_PATH"] = _folder, ["PATH"] = "/usr/bin:" + Environment.GetEnvironmentVariable("PATH") },
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(120_000))
            process.Kill(entireProcessTree: true);
        return (process.ExitCode, output + error.Result);
    }
}
