using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>The rules of the house: a folder of lib/ is a namespace and uses only folders on lower floors.</summary>
public class FloorTests
{
    private const int MostLines = 320;

    private static readonly Dictionary<string, int> Floors = File.ReadLines(Path.Combine(GoldenSet.RepositoryRoot, "lib", "README.md"))
        .Select(line => Regex.Match(line, @"^\| (\d+) \| (\w+) \|"))
        .Where(row => row.Success)
        .ToDictionary(row => row.Groups[2].Value, row => int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture));

    [Fact]
    public void Folders_EveryOne_HasAFloor()
    {
        Assert.NotEmpty(SourceFile.All);
        Assert.Equal(22, Floors.Count);
        Assert.Empty(SourceFile.All.Where(file => !Floors.ContainsKey(file.Folder)).Select(file => file.RelativePath));
    }

    [Fact]
    public void Files_EveryOne_UsesOnlyLowerFloors() =>
        Assert.Empty(SourceFile.All.SelectMany(file => UsedFolders(file)
            .Where(used => used != file.Folder && Floors[used] >= Floors[file.Folder])
            .Select(used => $"{file.RelativePath} (floor {Floors[file.Folder]}) uses {used} (floor {Floors[used]})")));

    [Fact]
    public void UsedFolders_Sources_AreFound()
    {
        var cli = SourceFile.All.Where(file => file.Folder == "Cli").SelectMany(UsedFolders).ToHashSet();
        Assert.Superset(new HashSet<string> { "Foundation", "Native", "Training", "Sweeps" }, cli);
    }

    [Theory]
    [InlineData(@"\bSystem\.CommandLine\b", "Cli", "Miniature", "Bench")]
    [InlineData(@"\bSpectre\.Console\b", "Cli")]
    [InlineData(@"\bMicrosoft\.CodeAnalysis\b", "Cli")]
    [InlineData(@"\bDreambooth\.Lab\.Kernel\b", "Cli", "Bench")]
    [InlineData(@"\bMicrosoft\.DotNet\.Interactive\b", "Display")]
    [InlineData(@"\bPlotly\.NET\b", "Display")]
    public void Library_OfFewFolders_IsUsedNowhereElse(string library, params string[] folders) =>
        Assert.Empty(
            SourceFile.All.Where(file => !folders.Contains(file.Folder) && Regex.IsMatch(file.Code, library))
                .Select(file => file.RelativePath));

    // What is called without a token in a cell ends with the cell.
    [Fact]
    public void Cancellation_OptionalInAFileThatChecksIt_FallsBackToTheAmbientOne() =>
        Assert.Empty(SourceFile.All
            .Where(
                file => file.Folder is not ("Cli" or "Bench" or "Miniature")
                    && file.Code.Contains("CancellationToken cancellation = default", StringComparison.Ordinal)
                && Regex.IsMatch(file.Code, @"\bcancellation\.(Throw|Is)") && !file.Code.Contains(".OrAmbient()", StringComparison.Ordinal))
            .Select(file => file.RelativePath));

    [Fact]
    public void Foundation_Sources_DoNotUseTorch() =>
        Assert.Empty(
            SourceFile.All.Where(file => file.Folder == "Foundation" && file.Code.Contains("TorchSharp", StringComparison.Ordinal))
                .Select(file => file.RelativePath));

    [Fact]
    public void Namespaces_EveryOne_IsTheFolder() =>
        Assert.Empty(SourceFile.All
            .Where(
                file => file.Namespace != "Dreambooth.Lab."
                    + Path.GetDirectoryName(file.RelativePath)!.Replace('\\', '.').Replace('/', '.'))
            .Select(file => $"{file.RelativePath} declares {file.Namespace}"));

    [Fact]
    public void Files_EveryOne_StaysShort() =>
        Assert.Empty(SourceFile.All.Where(file => file.Lines > MostLines).Select(file => $"{file.RelativePath}: {file.Lines} lines"));

    [Fact]
    public void Lines_EveryOne_HasAtMost140Characters() => Assert.Empty(
        Directory.EnumerateFiles(Path.Combine(GoldenSet.RepositoryRoot, "lib"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(GoldenSet.RepositoryRoot, path).Split('/', '\\').Any(part => part is "obj" or "bin"))
            .SelectMany(path => File.ReadLines(path).Select((line, index) => (Path: path, Number: index + 1, Text: line)))
            .Where(line => line.Text.Length > 140)
            .Select(line => $"{line.Path}:{line.Number}"));

    [Fact]
    public void Files_EveryOne_HasOnePublicTypeOfItsName() =>
        Assert.Empty(SourceFile.All
            .Where(file => file.PublicTypes.Count > 1 || file.PublicTypes.Any(type => type != file.Name.Split('.')[0]))
            .Select(file => $"{file.RelativePath}: {string.Join(", ", file.PublicTypes)}"));

    [Fact]
    public void Names_None_IsACatchAll()
    {
        string[] catchAlls = ["Utils", "Util", "Utilities", "Helper", "Helpers", "Common", "Misc"];
        Assert.Empty(SourceFile.All
            .Where(
                file => file.RelativePath.Split('/', '.')
                    .Any(part => catchAlls.Any(name => part.EndsWith(name, StringComparison.OrdinalIgnoreCase))))
            .Select(file => file.RelativePath));
    }

    /// <summary>
    /// Folders that a file names: by full name, or by the part that is enough inside the lab's own namespace (Training.StepLog).
    /// </summary>
    private static HashSet<string> UsedFolders(SourceFile file)
    {
        var used = Regex.Matches(file.Code, @"\bDreambooth\.Lab\.(\w+)").Select(match => match.Groups[1].Value).Where(Floors.ContainsKey)
            .ToHashSet();
        foreach (Match match in Regex.Matches(file.Code, @"(?<![\w.])([A-Z]\w+)\.([A-Z]\w+)"))
        {
            var folder = match.Groups[1].Value;
            if (Floors.ContainsKey(folder)
                && SourceFile.All.Any(other => other.Folder == folder && other.Types.Contains(match.Groups[2].Value)))
                used.Add(folder);
        }

        return used;
    }
}
