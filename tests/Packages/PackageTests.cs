using System.Diagnostics;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Packages;

/// <summary>
/// What <c>dotnet pack</c> makes is used as its users do: from a project of their own, and as the tool <c>lab</c>. Takes minutes.
/// </summary>
[Trait("Category", "Package")]
public sealed class PackageTests : IDisposable
{
    // One of its own for each run: what a killed run left restored is not used again.
    private static readonly string Version = $"0.0.1-test.{Environment.ProcessId}";

    private readonly TemporaryFolder _folder = new();

    // Restored packages stay in the user's folder, where the next run would find this one's.
    private static string Restored => Path.Combine(
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages"),
        "dreambooth.lab", Version);

    public void Dispose()
    {
        _folder.Dispose();
        if (Directory.Exists(Restored))
            Directory.Delete(Restored, recursive: true);
    }

    [Fact]
    public void Library_EmptyProject_TrainsTwoSteps()
    {
        Pack();
        Write(
            "app/nuget.config",
            $"""<configuration><packageSources><add key="packed" value="{_folder.Path}/packed" /></packageSources></configuration>""");
        Write("app/app.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Dreambooth.Lab" Version="{Version}" />
                <PackageReference Include="libtorch-cpu-linux-x64" Version="2.10.0" />
              </ItemGroup>
            </Project>
            """);
        Write("app/Program.cs", """
            using Dreambooth.Lab.Training;

            var config = DreamBoothConfig.Read(args[0] + "/data/recipes/gmc-cat.json") with
            {
                PretrainedModelNameOrPath = args[0] + "/data/sd3-mini",
                InstanceDataDir = args[0] + "/data/cat_gmc",
                WithPriorPreservation = false,
                ClassDataDir = null,
                ClassPrompt = null,
                ValidationPrompt = null,
                MaxTrainSteps = 2,
                OutputDir = args[1],
                Device = "cpu",
            };
            using var pipeline = TrainingSession.LoadPipeline(config);
            using var session = TrainingSession.Prepare(config, pipeline);
            System.Console.WriteLine(session.Run().Steps);
            session.Save();
            """);
        var lora = Path.Combine(_folder.Path, "lora");
        var output = Dotnet(Path.Combine(_folder.Path, "app"), "run", "--", GoldenSet.RepositoryRoot, lora);
        Assert.Equal("2", output.TrimEnd().Split('\n')[^1]);
        Assert.True(new FileInfo(Path.Combine(lora, "pytorch_lora_weights.safetensors")).Length > 10_000);
    }

    [Fact]
    public void Tool_Installed_RunsAsLab()
    {
        Pack("-p:PackAsTool=true");
        var tools = Path.Combine(_folder.Path, "tools");
        Dotnet(
            _folder.Path, "tool", "install", "Dreambooth.Lab.Tool", "--version", Version, "--tool-path", tools, "--add-source",
            Path.Combine(_folder.Path, "packed"));
        var report = Run(Path.Combine(tools, OperatingSystem.IsWindows() ? "lab.exe" : "lab"), _folder.Path, "doctor", "--json");
        Assert.Contains("\"usable\": true", report, StringComparison.Ordinal);
    }

    private void Pack(params string[] flags) => Dotnet(
        GoldenSet.RepositoryRoot,
        [
            "pack", "Dreambooth.Lab.csproj", $"-p:Version={Version}", "--artifacts-path", Path.Combine(_folder.Path, "artifacts"),
            "-o", Path.Combine(_folder.Path, "packed"), "-v", "q", .. flags,
        ]);

    private void Write(string name, string content)
    {
        var path = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private static string Dotnet(string folder, params string[] arguments) => Run("dotnet", folder, arguments);

    private static string Run(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the test host sets for itself is not for other programs.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(15)))
            process.Kill(entireProcessTree: true);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{output.Result}\n{errors.Result}");
        return output.Result;
    }
}
