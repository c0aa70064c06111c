using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// The layout of the DreamBooth data set (github google/dreambooth, folder <c>dataset</c>): a folder of photos for each subject, and
/// <c>prompts_and_classes.txt</c> with <c>subject_name,class</c> lines and two lists of prompts, for objects and for live subjects.
/// </summary>
internal static partial class DreamBenchDataset
{
    /// <summary>The file of classes and prompts.</summary>
    public const string ListName = "prompts_and_classes.txt";

    private const string ClassesHeading = "subject_name,class";

    // The published set does not mark live subjects; these are the classes that it has of them.
    private static readonly string[] LiveClasses = ["cat", "dog"];

    [GeneratedRegex("""^\s*(?<quote>['"])(?<text>.*)\k<quote>\.format\(.*\),?\s*$""", RegexOptions.CultureInvariant)]
    private static partial Regex PromptPattern { get; }

    /// <summary>Reads a data set.</summary>
    /// <param name="folder">The folder of the subjects' folders, or a clone of the repository that has it as <c>dataset</c>.</param>
    /// <exception cref="LabException">The list or a subject's folder is missing, or the list has no subject or no prompt.</exception>
    public static IReadOnlyList<DreamBenchSubject> Read(string folder)
    {
        var (root, list, lines) = Open(folder);
        var classes = Classes(lines, list);
        var (objects, live) = Prompts(lines, list);
        var missing = classes.Select(entry => entry.Name).Where(name => !Directory.Exists(Path.Combine(root, name))).ToList();
        if (missing.Count > 0)
            throw new LabException($"{list} names subjects without a folder in {root}: {string.Join(", ", missing)}.");
        return [.. classes.Select(entry => new DreamBenchSubject(
            entry.Name, entry.Class, Path.Combine(root, entry.Name),
            IsLive(entry.Class) ? live : objects))];
    }

    /// <summary>The data set's prompts for a class; the photos need not be there.</summary>
    /// <param name="folder">As in <see cref="Read"/>.</param>
    /// <param name="kind">The class, as "cat".</param>
    /// <param name="live">Whether a class that the data set does not have is of live subjects.</param>
    /// <returns>Texts where <c>{0}</c> stands for the unique token and <c>{1}</c> for the class.</returns>
    /// <exception cref="LabException">The list is missing, or has no prompt.</exception>
    public static IReadOnlyList<string> TemplatesFor(string folder, string kind, bool live)
    {
        var (_, list, lines) = Open(folder);
        var lists = Prompts(lines, list);
        return live || IsLive(kind) ? lists.Live : lists.Objects;
    }

    private static bool IsLive(string kind) => LiveClasses.Contains(kind, StringComparer.OrdinalIgnoreCase);

    private static (string Root, string List, string[] Lines) Open(string folder)
    {
        var root = File.Exists(Path.Combine(folder, ListName)) ? folder : Path.Combine(folder, "dataset");
        var list = Path.Combine(root, ListName);
        return File.Exists(list) ? (root, list, File.ReadAllLines(list)) : throw new LabException(
            $"{folder} has no {ListName}; the DreamBooth data set has it beside a folder of photos for each subject.");
    }

    private static List<(string Name, string Class)> Classes(string[] lines, string list)
    {
        var entries = new List<(string Name, string Class)>();
        var rest = lines.SkipWhile(line => line.Trim() != ClassesHeading).Skip(1).TakeWhile(line => !IsHeading(line));
        foreach (var line in rest.Where(line => line.Trim().Length > 0))
        {
            if (line.Split(',', StringSplitOptions.TrimEntries) is not [{ Length: > 0 } name, { Length: > 0 } kind]
                || name is "." or ".." || name.AsSpan().ContainsAny('/', '\\'))
                throw new LabException(
                    $"{list}: '{ShownText.Line(line)}' is no subject; valid is the name of a folder, a comma and a class.");
            if (entries.Exists(entry => entry.Name == name))
                throw new LabException($"{list} names the subject '{ShownText.Line(name)}' twice.");
            entries.Add((name, kind));
        }

        return entries.Count > 0 ? entries : throw new LabException($"{list} has no subject: no line follows '{ClassesHeading}'.");
    }

    // The lists of prompts follow the subjects, under headings of their own.
    private static bool IsHeading(string line) => line.Contains("Prompts", StringComparison.Ordinal);

    private static (IReadOnlyList<string> Objects, IReadOnlyList<string> Live) Prompts(string[] lines, string list)
    {
        List<string> objects = [], live = [], current = objects;
        foreach (var line in lines)
        {
            if (IsHeading(line))
                current = line.Contains("Live", StringComparison.Ordinal) ? live : objects;
            if (PromptPattern.Match(line) is not { Success: true } match)
                continue;
            var text = match.Groups["text"].Value;
            if (!text.Contains("{0}", StringComparison.Ordinal) || !text.Contains("{1}", StringComparison.Ordinal))
                throw new LabException(
                    $"{list}: the prompt '{ShownText.Line(text)}' needs {{0}} for the unique token and {{1}} for the class.");
            current.Add(text);
        }

        return objects.Count > 0 && live.Count > 0 ? (objects, live) : throw new LabException(
            $"{list} has {objects.Count} prompts for objects and {live.Count} for live subjects; both lists are needed.");
    }
}
