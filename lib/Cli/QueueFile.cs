using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// The file of a queue: a recipe a line, as a JSON object with option names as keys. <c>config</c> names a recipe file that the line's own
/// keys take precedence over, <c>name</c> says what the training is called. Blank lines and lines that begin with // do not count.
/// </summary>
internal static partial class QueueFile
{
    private const string ConfigKey = "config";
    private const string NameKey = "name";
    private const string OutputKey = "output_dir";
    private const int LongestName = 80;

    /// <summary>Reads and checks all lines.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recipe">The recipe of lines that name none; null for none.</param>
    /// <param name="given">What takes precedence over every line.</param>
    /// <param name="warn">Told of names that are accepted without effect.</param>
    /// <exception cref="UsageException">Lines are wrong: all of them in one message. Or there is none.</exception>
    public static IReadOnlyList<QueueEntry> Read(
        string path, string? recipe, IReadOnlyDictionary<Flag, object?> given, Action<string> warn)
    {
        List<QueueEntry> entries = [];
        List<string> errors = [];
        if (given.Keys.Any(flag => flag.Name == OutputKey))
            throw new UsageException("--output_dir does not go with --queue: each line has an output folder of its own.");
        foreach (var (index, line) in TextFile.Read(path, "The queue").Split('\n').Index())
        {
            var text = line.Trim();
            if (text.Length == 0 || text.StartsWith("//", StringComparison.Ordinal))
                continue;
            try
            {
                var entry = ReadLine(path, index + 1, text, recipe, given, warn);
                Refuse(entry, entries, path);
                entries.Add(entry);
            }
            catch (LabException error)
            {
                errors.Add(error.Message.StartsWith($"{path}, line", StringComparison.Ordinal)
                    ? error.Message : $"{path}, line {index + 1}: {error.Message}");
            }
        }

        if (errors.Count > 0)
            throw new UsageException($"Nothing is started, since lines of the queue are wrong.\n{string.Join('\n', errors)}");
        return entries.Count > 0 ? entries : throw new UsageException($"{path} has no line: each has a recipe, such as "
            + """{"config": "data/recipes/gmc-cat.json", "rank": 8}.""");
    }

    private static QueueEntry ReadLine(
        string path, int line, string text, string? recipe, IReadOnlyDictionary<Flag, object?> given, Action<string> warn)
    {
        var field = JsonField.Parse(text, $"{path}, line {line}");
        void Warn(string message) => warn($"{field.Source}: {message}");
        var own = DreamBoothConfig.Flags.Read(
            field, name => name is ConfigKey or NameKey || DreamBoothConfig.UnusedFlags.Accept(name, Warn));
        var config = field.Find(ConfigKey)?.Text() ?? recipe;
        var overrides = own.Select(pair => (pair.Key.Name, Value: pair.Value is null ? "none" : Flag.Format(pair.Value))).ToList();
        foreach (var (flag, value) in given)
            own[flag] = value;
        var named = field.Find(NameKey)?.Text();
        var built = RecipeText.Read(config, own, warn);
        var isNamed = own.Keys.Any(flag => flag.Name == OutputKey);
        var name = named ?? (isNamed ? Path.GetFileName(Path.TrimEndingDirectorySeparator(built.OutputDir)) : NameOf(overrides, config));
        if (!isNamed)
            built = built with { OutputDir = Path.Combine("outputs", Path.GetFileNameWithoutExtension(path), FolderName(name)) };
        built.Validate();
        return new QueueEntry(line, ShownText.Line(name, LongestName), built);
    }

    private static void Refuse(QueueEntry entry, List<QueueEntry> before, string path)
    {
        var output = entry.Config.OutputDir;
        if (RealPath.AreSame(output, Path.GetDirectoryName(Path.GetFullPath(path))!))
            throw new LabException($"output_dir ({output}) is the queue's own folder, where its page is. Name another output_dir.");
        if (before.Find(other => RealPath.IsWithin(output, other.Config.OutputDir) || RealPath.IsWithin(other.Config.OutputDir, output))
            is not { } taken)
            return;
        var relation = RealPath.AreSame(output, taken.Config.OutputDir) ? "is that" : "lies in, or holds, that";
        throw new LabException(
            $"output_dir ({output}) {relation} of line {taken.Line}: each training needs its own. Name another output_dir, or a name.");
    }

    private static string NameOf(List<(string Name, string Value)> overrides, string? config) => overrides.Count > 0
        ? string.Join('_', overrides.Select(pair => $"{pair.Name}-{pair.Value}"))
        : config is null ? "run" : Path.GetFileNameWithoutExtension(config);

    // Long names are told apart by the hash of what is cut.
    private static string FolderName(string name)
    {
        var plain = Unfit.Replace(name, "-").Trim('-', '.');
        if (plain.Length == 0 || plain.Length > LongestName)
        {
            var hash = FileHash.Sha256OfText(name)[..8];
            plain = plain.Length == 0 ? $"run-{hash}" : $"{plain[..LongestName]}-{hash}";
        }

        return plain;
    }

    [GeneratedRegex(@"[^\w.=-]+")]
    private static partial Regex Unfit { get; }
}
