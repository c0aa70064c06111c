using System.Text.RegularExpressions;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Architecture;

/// <summary>One C# file of lib/, as the architecture tests see it.</summary>
internal sealed partial class SourceFile
{
    private static readonly string Root = Path.Combine(GoldenSet.RepositoryRoot, "lib");

    private SourceFile(string path)
    {
        RelativePath = Path.GetRelativePath(Root, path).Replace('\\', '/');
        var text = File.ReadAllText(path);
        Lines = text.AsSpan().Count('\n');
        Code = Comments().Replace(text, "");
        PublicTypes =
            [.. TopLevelType().Matches(Code).Where(match => match.Groups["access"].Value == "public")
                .Select(match => match.Groups["name"].Value)];
        Types = [.. TopLevelType().Matches(Code).Select(match => match.Groups["name"].Value)];
        Namespace = NamespaceLine().Match(Code).Groups[1].Value;
    }

    /// <summary>Every file of lib/ but the kernel's, which is an assembly of its own.</summary>
    public static IReadOnlyList<SourceFile> All { get; } =
    [
        .. Directory.EnumerateFiles(Root, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(Root, path).Split('/', '\\').Any(part => part is "Kernel" or "obj" or "bin"))
            .Order(StringComparer.Ordinal)
            .Select(path => new SourceFile(path)),
    ];

    /// <summary>Path from lib/, with slashes.</summary>
    public string RelativePath { get; }

    /// <summary>The folder directly under lib/.</summary>
    public string Folder => RelativePath.Split('/')[0];

    public string Name => Path.GetFileNameWithoutExtension(RelativePath);

    public string Namespace { get; }

    public int Lines { get; }

    /// <summary>The text without comments and documentation.</summary>
    public string Code { get; }

    public IReadOnlyList<string> Types { get; }

    public IReadOnlyList<string> PublicTypes { get; }

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(
        @"^(?<access>public|internal) (?:(?:static|sealed|abstract|partial|readonly|unsafe|ref) )*(?:record struct|record class|record|class|struct|interface|enum|delegate [\w.<>?\[\], ]+?) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType();
}
