using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class QueueFileTests : IDisposable
{
    private const string Needed =
        "\"pretrained_model_name_or_path\": \"m\", \"instance_data_dir\": \"p\", \"instance_prompt\": \"a gmc cat\"";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_RecipesAndOverrides_GiveEachLineAFolderOfItsOwn()
    {
        var recipe = Path.Combine(_folder.Path, "base.json");
        File.WriteAllText(recipe, "{" + Needed + ", \"rank\": 2, \"output_dir\": \"outputs/base\"}");
        var entries = Read(
            $$"""{"config": "{{recipe}}", "rank": 8, "learning_rate": 1e-3}""", "", "// not yet",
            $$"""{"config": "{{recipe}}", "name": "so schön/wie nie"}""", $$"""{"config": "{{recipe}}"}""",
            $$"""{{{Needed}}, "output_dir": "outputs/mine/", "seed": 3}""");
        Assert.Equal([1, 4, 5, 6], entries.Select(entry => entry.Line));
        Assert.Equal(["rank-8_learning_rate-0.001", "so schön/wie nie", "base", "mine"], entries.Select(entry => entry.Name));
        Assert.Equal(
            ["outputs/runs/rank-8_learning_rate-0.001", "outputs/runs/so-schön-wie-nie", "outputs/runs/base", "outputs/mine/"],
            entries.Select(entry => entry.Config.OutputDir.Replace('\\', '/')));
        Assert.Equal([8, 2, 2, 4], entries.Select(entry => entry.Config.Rank));
    }

    [Fact]
    public void Read_FlagsOfTheCommandLine_HoldForEveryLineAndNameNoFolder()
    {
        var rank = DreamBoothConfig.Flags.Find("rank")!;
        Assert.Equal(16, Assert.Single(With(new() { [rank] = 16 }, "{" + Needed + ", \"rank\": 8}")).Config.Rank);
        Assert.Equal("rank-8", Assert.Single(With(new() { [rank] = 16 }, "{\"config\": \"" + Recipe() + "\", \"rank\": 8}")).Name);
        Assert.Contains(
            "--output_dir does not go with --queue", Assert.Throws<UsageException>(
                () => With(new() { [DreamBoothConfig.Flags.Find("output_dir")!] = "x" }, "{" + Needed + "}")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WrongLines_AreToldAllAtOnce()
    {
        var error = Assert.Throws<UsageException>(() => Read(
            "{" + Needed + ", \"output_dir\": \"outputs/a\"}", "no json", "[1]", "{" + Needed + ", \"rnk\": 8}",
            "{" + Needed + ", \"rank\": 0}",
            "{\"rank\": 8}", "{\"config\": \"nowhere.json\"}", "{" + Needed + ", \"output_dir\": \"outputs/../outputs/a/b\"}",
            "{" + Needed + $", \"output_dir\": \"{_folder.Path}\"}}")).Message;
        string[] expected =
        [
            "line 2", "line 3 is no recipe", "line 4: 'rnk' is no option; nearest are rank", "line 5: rank is 0", "line 6: ",
            "instance_prompt is missing", "line 7: ", "nowhere.json",
            "line 8: output_dir (outputs/../outputs/a/b) lies in, or holds, that of line 1", "line 9: output_dir",
            "is the queue's own folder",
        ];
        Assert.All(expected, text => Assert.Contains(text, error, StringComparison.Ordinal));
        Assert.DoesNotContain("runs.jsonl, line 1:", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoLines_IsAnError() =>
        Assert.Contains("has no line", Assert.Throws<UsageException>(() => Read("", "// later")).Message, StringComparison.Ordinal);

    private string Recipe()
    {
        var recipe = Path.Combine(_folder.Path, "recipe.json");
        File.WriteAllText(recipe, "{" + Needed + "}");
        return recipe;
    }

    private IReadOnlyList<QueueEntry> Read(params string[] lines) => With([], lines);

    private IReadOnlyList<QueueEntry> With(Dictionary<Flag, object?> given, params string[] lines)
    {
        var path = Path.Combine(_folder.Path, "runs.jsonl");
        File.WriteAllLines(path, lines);
        return QueueFile.Read(path, null, given, _ => { });
    }
}
