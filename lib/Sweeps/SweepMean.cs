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

    /// <summary>
    /// The places with the lowest mean score, the lowest first; where nothing scored the pictures, the places that come first.
    /// </summary>
    /// <param name="results">The pictures.</param>
    /// <param name="score">The score's name.</param>
    /// <param name="axis">What makes places.</param>
    /// <param name="count">How many places.</param>
    public static IReadOnlyList<string> Lowest(IEnumerable<SweepResult> results, string score, SweepAxis axis, int count) =>
        [.. By(results, axis).OrderBy(mean => mean.Scores.GetValueOrDefault(score, 0)).Take(count).Select(mean => mean.Row)];

    /// <summary>
    /// The places where a mean score falls most from one side to another, such as from before to after; those where it does not fall come
    /// last.
    /// </summary>
    /// <param name="results">The pictures of both sides.</param>
    /// <param name="score">The score's name.</param>
    /// <param name="axis">What makes places.</param>
    /// <param name="sides">What divides them; the first side that comes is the one that the other is compared with.</param>
    /// <param name="count">How many places.</param>
    public static IReadOnlyList<string> Falls(IEnumerable<SweepResult> results, string score, SweepAxis axis, SweepAxis sides, int count) =>
        [.. By(results, axis, sides).GroupBy(mean => mean.Row)
            .OrderBy(side => side.Last().Scores.GetValueOrDefault(score, 0) - side.First().Scores.GetValueOrDefault(score, 0))
            .Take(count).Select(side => side.Key)];

    /// <summary>The place with the highest mean of one score and, where several share it, the highest of another.</summary>
    /// <param name="results">The pictures, at least one.</param>
    /// <param name="axis">What makes places.</param>
    /// <param name="first">The score that counts first.</param>
    /// <param name="second">The score that decides between equals.</param>
    /// <returns>The place; the first one where nothing scored the pictures.</returns>
    public static string Best(IEnumerable<SweepResult> results, SweepAxis axis, string first, string second) =>
        By(results, axis).OrderByDescending(mean => mean.Scores.GetValueOrDefault(first, 0))
            .ThenByDescending(mean => mean.Scores.GetValueOrDefault(second, 0)).First().Row;
}
