using System.Text.RegularExpressions;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>The pages that lead a reader through the code name what is there.</summary>
public sealed class MapTests
{
    private static readonly string s_lib = Path.Combine(GoldenSet.RepositoryRoot, "lib");

    [Fact]
    public void WhereIs_EveryEntry_NamesAFileAndWhatItHas()
    {
        var entries = File.ReadLines(Path.Combine(s_lib, "README.md"))
            .SelectMany(line => Regex.Matches(line, @"\[\w[\w/]*\]\((?<path>[\w/.]+)\)(?<members>(?:[ ,]*`[\w\[\]]+`)*)"))
            .Where(entry => !entry.Groups["path"].Value.EndsWith(".md", StringComparison.Ordinal))
            .ToList();
        Assert.True(entries.Count > 20);
        Assert.Empty(entries.SelectMany(entry => Missing(entry.Groups["path"].Value, entry.Groups["members"].Value)));
    }

    [Fact]
    public void Links_OfEveryPage_LeadSomewhere()
    {
        string[] pages =
        [
            "README.md", "CHANGELOG.md",
            .. new[] { "lib", "tests", "notebooks", "data" }.SelectMany(folder => Directory.EnumerateFiles(
                Path.Combine(GoldenSet.RepositoryRoot, folder), "*.md", SearchOption.AllDirectories))
                .Select(page => Path.GetRelativePath(GoldenSet.RepositoryRoot, page)),
        ];
        Assert.Empty(pages.Where(page => !page.Split('/', '\\').Any(part => part is "bin" or "obj")).SelectMany(page =>
        {
            var path = Path.Combine(GoldenSet.RepositoryRoot, page);
            return Regex.Matches(File.ReadAllText(path), @"\]\((?!https?:|#)(?<to>[^)#\s]+)[^)]*\)")
                .Select(link => Uri.UnescapeDataString(link.Groups["to"].Value))
                .Where(to => !Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, to)))
                .Select(to => $"{page}: {to}");
        }));
    }

    [Fact]
    public void Readme_ForANewcomer_IsShort()
    {
        var text = File.ReadAllText(Path.Combine(GoldenSet.RepositoryRoot, "README.md"));
        Assert.InRange(text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length, 300, 900);
        Assert.Equal(2, Regex.Count(text, @"!\["));
    }

    private static IEnumerable<string> Missing(string file, string members)
    {
        var path = Path.Combine(s_lib, file);
        if (!Path.Exists(path))
            return [file];
        return Regex.Matches(members, "`([^`]+)`").Select(member => member.Groups[1].Value)
            .Where(
                member => !Regex.IsMatch(
                    File.ReadAllText(path), member[0] == '[' ? $@"\[{member[1..^1]}\b" : $@"\b{member}(?:<\w+>)?\s*[({{=]|\b{member}\n"))
            .Select(member => $"{file}: {member}");
    }
}
