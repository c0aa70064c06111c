using System.Diagnostics;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>The program as a process of its own, in surroundings that are not as they should be.</summary>
public sealed class SurroundingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-around-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_CurrentFolderThatIsDeleted_SaysSo()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not delete the current folder of a program.");
        var (code, output, error) = await Start(
            "sh", ["-c", "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"", "sh", "dotnet", LabProgram.Assembly, "generate",
                "--help"]);
        Assert.Equal((1, string.Empty), (code, output));
        Assert.Equal("error: The current folder does not exist any more. Change to another one.", error.Trim());
    }

    // Where the user's own folder was not there, files of the cache, and the hub's token, went below the current folder.
    [Fact]
    public async Task Doctor_HomeThatIsNotThere_PutsNothingBelowTheCurrentFolder()
    {
        var (home, current) = (Path.Combine(_folder, "home"), Path.Combine(_folder, "current"));
        Directory.CreateDirectory(current);
        var (code, output, _) = await Start(
            "dotnet", [LabProgram.Assembly, "doctor"], current, ("HOME", home), ("USERPROFILE", home), ("LAB_CACHE", null),
            ("XDG_CACHE_HOME", null));
        Assert.Equal(0, code);
        Assert.Contains("The lab can run here.", output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(current));
    }

    [Fact]
    public async Task Doctor_SettingsThatCannotBeUsed_AreNamed()
    {
        var (code, output, _) = await Start(
            "dotnet", [LabProgram.Assembly, "doctor"], null, ("HF_ENDPOINT", "garbage"), ("LAB_TOKENIZERS", "/none/at all"));
        Assert.Equal(0, code);
        Assert.Contains("- LAB_TOKENIZERS is /none/at all; there is no such folder.", output, StringComparison.Ordinal);
        Assert.Contains("- HF_ENDPOINT is no address of a hub; ", output, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> Start(
        string program, string[] arguments, string? current = null, params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = current ?? _folder,
        };
        foreach (var (name, value) in environment)
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
