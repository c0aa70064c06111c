using System.Diagnostics;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>The library in a Roslyn script host that does not know it: what a notebook under another C# kernel does.</summary>
[Trait("Category", "Kernel")]
public sealed class ScriptHostTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("script-host-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Script_ReferencingTheLibraryByPath_GeneratesAPictureAndShowsAView()
    {
        var fixtures = Path.Combine(Golden.GoldenSet.RepositoryRoot, "tests", "fixtures");
        var picture = Path.Combine(_folder, "picture.png");
        // Outside of the repository, whose central package versions would apply to the host.
        File.Copy(Path.Combine(fixtures, "script-host", "host.cs"), Path.Combine(_folder, "host.cs"));
        var script = File.ReadAllText(Path.Combine(fixtures, "script-host", "generate.csx"))
            .Replace("LIBRARY", LabProgram.Folder, StringComparison.Ordinal)
            .Replace("MODEL", Path.Combine(fixtures, "golden", "pipelines", "tiny-sd35m"), StringComparison.Ordinal)
            .Replace("PICTURE", picture, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "generate.csx"), script);
        var start = new ProcessStartInfo("dotnet", ["run", "host.cs", "--", "generate.csx"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LAB_TOKENIZERS"] = Path.Combine(fixtures, "tokenizers") },
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, output + await error);
        Assert.StartsWith("True\nsteps\n-----\n    3\n<div class=\"lab\">", output, StringComparison.Ordinal);
        var decoded = Dreambooth.Lab.Imaging.ImageDecoder.Load(picture);
        Assert.Equal((64, 64), (decoded.Width, decoded.Height));
        Assert.True(decoded.Pixels.Distinct().Count() > 20, "the picture is blank");
    }
}
