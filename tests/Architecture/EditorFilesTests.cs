using System.Text.Json;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>The files of .vscode name what there is, and the page about them names what they have.</summary>
public class EditorFilesTests
{
    private static readonly JsonDocumentOptions WithComments = new() { CommentHandling = JsonCommentHandling.Skip };

    private static JsonElement Read(string name) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(GoldenSet.RepositoryRoot, ".vscode", name)), WithComments).RootElement;

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static JsonElement[] Launches => [.. Read("launch.json").GetProperty("configurations").EnumerateArray()];

    private static string[] Tasks => [.. Read("tasks.json").GetProperty("tasks").EnumerateArray().Select(task => Text(task, "label"))];

    [Fact]
    public void Launches_EveryOne_StartsABuiltProgramAfterATask() => Assert.All(Launches, launch =>
    {
        Assert.Contains(Text(launch, "preLaunchTask"), Tasks);
        var program = Text(launch, "program").Replace("${workspaceFolder}", GoldenSet.RepositoryRoot, StringComparison.Ordinal);
        var built = program.Replace("/Debug/", $"/{new DirectoryInfo(LabProgram.Folder).Parent!.Name}/", StringComparison.Ordinal);
        Assert.True(File.Exists(built), built);
    });

    [Fact]
    public void Inputs_EveryOneUsed_IsDeclared()
    {
        foreach (var file in new[] { "launch.json", "tasks.json" })
        {
            var declared = Read(file).GetProperty("inputs").EnumerateArray().Select(input => Text(input, "id")).Order();
            var used = Regex.Matches(Read(file).GetRawText(), @"\$\{input:(\w+)\}").Select(match => match.Groups[1].Value).Distinct()
                .Order();
            Assert.Equal(declared, used);
        }
    }

    [Fact]
    public void Page_TasksAndLaunches_AreAllNamed()
    {
        var page = File.ReadAllText(Path.Combine(GoldenSet.RepositoryRoot, "notebooks", "vs-code.md"));
        Assert.All(Tasks.Except(["build"]), task => Assert.Contains($"→ {task}*", page, StringComparison.Ordinal));
        Assert.All(Launches, launch => Assert.Contains($"*{Text(launch, "name")}*", page, StringComparison.Ordinal));
    }

    [Fact]
    public void OtherFiles_AreJson()
    {
        Assert.Contains(
            "ms-toolsai.jupyter", Read("extensions.json").GetProperty("recommendations").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal("tests/test.runsettings", Text(Read("settings.json"), "dotnet.unitTests.runSettingsPath"));
    }
}
