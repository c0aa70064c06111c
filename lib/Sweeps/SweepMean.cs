namespace Dreambooth.Lab.Sweeps;

/// <summary>Mean scores of the pictures that share a place on one or two axes.</summary>
/// <param name="Row">Their place on the first axis.</param>
/// <param name="Column">Their place on the second axis; empty where there is none.</param>
/// <param name="Count">How many pictures.</param>
/// <param name="Scores">Mean by score, over the pictures that have it.</param>
public sealed record SweepMean(string Row, string Column, int Count, IReadOnlyDictionary<string, double> Scores)
{
    /// <summary>Means over groups of pictures, in the order in which the groups first come.</summary>
    /// <param name="results">The pictures.</param>
    /// <param name="rows">What makes groups.</param>
    /// <param name="columns">What divides them further; null for nothing.</param>
    public static IReadOnlyList<SweepMean> By(IEnumerable<SweepResult> results, SweepAxis rows, SweepAxis? columns = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return [.. results
            .GroupBy(result => (Row: rows.LabelOf(result.Item), Column: columns?.LabelOf(result.Item) ?? string.Empty))
            .Select(group => new SweepMean(group.Key.Row, group.Key.Column, group.Count(), Over(group)))];
    }

    /// <summary>Means over all pictures by score; empty where nothing scored them. Values that are no number are left out.</summary>
    /// <param name="results">The pictures.</param>
    public static IReadOnlyDictionary<string, double> Over(IEnumerable<SweepResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        return results.SelectMany(result => result.Scores ?? new Dictionary<string, double>())
            .Where(score => !double.IsNaN(score.Value))
            .GroupBy(score => score.Key)
            .ToDictionary(group => group.Key, group => group.Average(score => score.Value));
    }
}
