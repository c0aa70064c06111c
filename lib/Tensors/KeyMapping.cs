using System.Globalization;
using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Tensors;

/// <summary>A table that says under which names a file of another layout holds a model's parameters.</summary>
public sealed class KeyMapping
{
    private readonly List<(Regex Stored, KeyRule[] Rules)> _rows = [];
    private readonly int _last;

    /// <summary>Reads the table.</summary>
    /// <param name="rules">The rows. Of rows with different stored patterns the first that fits a name counts; rows with the same pattern
    /// count together, each for a part.</param>
    /// <param name="blocks">How many blocks <c>{last}</c> and <c>{-n}</c> refer to; 0 where no row uses them.</param>
    public KeyMapping(IEnumerable<KeyRule> rules, int blocks = 0)
    {
        ArgumentNullException.ThrowIfNull(rules);
        _last = blocks - 1;
        foreach (var row in rules.GroupBy(rule => rule.Stored, StringComparer.Ordinal))
            _rows.Add((Pattern(row.Key), [.. row]));
    }

    /// <summary>What a stored tensor holds.</summary>
    /// <param name="stored">A name in the file, without the component's prefix.</param>
    /// <returns>The published names with their parts (null names for what is not needed); empty when no row fits.</returns>
    public IReadOnlyList<KeyRule> Find(string stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        foreach (var (pattern, rules) in _rows)
        {
            if (pattern.Match(stored) is { Success: true } match)
                return [.. rules.Select(
                    rule => rule with { Stored = stored, Published = rule.Published is null ? null : Fill(rule.Published, match) })];
        }

        return [];
    }

    private Regex Pattern(string stored) => new(
        "^" + Regex.Escape(stored)
            .Replace(@"\{n}", "(?<n>[0-9]+)", StringComparison.Ordinal)
            .Replace(@"\{m}", "(?<m>[0-9]+)", StringComparison.Ordinal)
            .Replace(@"\{p}", "(?<p>weight|bias)", StringComparison.Ordinal)
            .Replace(@"\{\*}", "(?<any>.+)", StringComparison.Ordinal)
            .Replace(@"\{last}", _last.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) + "$",
        RegexOptions.CultureInvariant);

    private string Fill(string published, Match match) => published
        .Replace(
            "{-n}", match.Groups["n"].Success
                ? (_last - int.Parse(match.Groups["n"].ValueSpan, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture)
                : "", StringComparison.Ordinal)
        .Replace("{n}", match.Groups["n"].Value, StringComparison.Ordinal)
        .Replace("{m}", match.Groups["m"].Value, StringComparison.Ordinal)
        .Replace("{p}", match.Groups["p"].Value, StringComparison.Ordinal)
        .Replace("{last}", _last.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("{*}", match.Groups["any"].Value, StringComparison.Ordinal);
}
