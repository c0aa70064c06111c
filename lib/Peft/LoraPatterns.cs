using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// PEFT's <c>alpha_pattern</c> or <c>rank_pattern</c>: regular expressions with a number each. A key matches a layer's path as
/// <c>(.*\.)?(key)$</c> (PEFT's <c>get_pattern_key</c>, 0.21), and the first that matches, in the order of the file, counts.
/// </summary>
internal sealed class LoraPatterns
{
    private const int LongestKey = 120;

    // A pattern comes from a file: one that takes too long to match is rejected.
    private static readonly TimeSpan LongestMatch = TimeSpan.FromSeconds(1);

    private readonly List<(string Key, Regex Pattern, double Value)> _patterns = [];
    private readonly string _where;

    private LoraPatterns(string where) => _where = where;

    /// <summary>The patterns with their numbers.</summary>
    public IEnumerable<(string Key, double Value)> Entries =>
        _patterns.Select(entry => (ShownText.Line(entry.Key, LongestKey), entry.Value));

    /// <summary>Reads the patterns.</summary>
    /// <param name="entry">The entry; where there is none, no pattern matches.</param>
    /// <exception cref="LabException">It is no object of numbers, or a key is no regular expression.</exception>
    public static LoraPatterns Read(JsonField? entry)
    {
        var patterns = new LoraPatterns(entry switch
        {
            null => string.Empty,
            { Path: "" } whole => whole.Source,
            { } part => $"{part.Source}: {part.Path}",
        });
        foreach (var (key, value) in entry?.Entries() ?? [])
            patterns._patterns.Add((key, patterns.Compile(key), value.Number()));
        return patterns;
    }

    /// <summary>The number of a layer.</summary>
    /// <param name="path">The layer's path.</param>
    /// <returns>Null where no pattern matches.</returns>
    public double? Find(string path)
    {
        foreach (var (key, pattern, value) in _patterns)
        {
            if (IsMatch(key, pattern, path))
                return value;
        }

        return null;
    }

    /// <summary>The patterns that match none of some layers.</summary>
    /// <param name="paths">The layers' paths.</param>
    public IEnumerable<string> WithoutMatch(IReadOnlyCollection<string> paths) =>
        from entry in _patterns
        where !paths.Any(path => IsMatch(entry.Key, entry.Pattern, path))
        select ShownText.Line(entry.Key, LongestKey);

    private Regex Compile(string key)
    {
        try
        {
            return new Regex($@"\A(?:.*\.)?(?:{key})$", RegexOptions.CultureInvariant, LongestMatch);
        }
        catch (ArgumentException error)
        {
            throw new LabException($"{Name(key)}, which is no regular expression: {error.Message}", error);
        }
    }

    private bool IsMatch(string key, Regex pattern, string path)
    {
        try
        {
            return pattern.IsMatch(path);
        }
        catch (RegexMatchTimeoutException error)
        {
            throw new LabException($"{Name(key)}, which takes more than a second to match against {path}.", error);
        }
    }

    private string Name(string key) => $"{_where} has the key '{ShownText.Line(key, LongestKey)}'";
}
