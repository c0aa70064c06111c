using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>The values of one thing in a chart.</summary>
public sealed record ChartSeries
{
    /// <summary>What the values are of, as the legend names it; empty leaves it out of the legend.</summary>
    public required string Name { get; init; }

    /// <summary>Where each value stands; bars stand at 0, 1, 2 … for the chart's categories.</summary>
    public required IReadOnlyList<double> X { get; init; }

    /// <summary>The values; NaN leaves a gap.</summary>
    public required IReadOnlyList<double> Y { get; init; }

    /// <summary>A text for each point, shown on hover; null for none.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>How it is drawn; null (the default) for the chart's own mark: lines, points or bars.</summary>
    public ChartMark? Mark { get; init; }

    /// <summary>Its colour; null (the default) the next one of the palette.</summary>
    public ChartColor? Color { get; init; }

    /// <summary>
    /// The lower and upper end of each value's interval, drawn as a line from one to the other; null where a value has none. Null (the
    /// default) for no intervals.
    /// </summary>
    internal IReadOnlyList<(double Low, double High)?>? Intervals { get; init; }

    /// <summary>What the values are called in the chart's data where the legend says less; null for <see cref="Name"/>.</summary>
    internal string? Meaning { get; init; }

    /// <summary>Whether a line is drawn.</summary>
    internal bool IsLine => Mark is ChartMark.Line or ChartMark.Dashed or ChartMark.LineAndPoints;

    /// <summary>Values at 1, 2, 3 …; of a bar chart: for its categories in order.</summary>
    /// <param name="name">What they are of.</param>
    /// <param name="values">The values.</param>
    public static ChartSeries Of(string name, IEnumerable<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        double[] y = [.. values];
        return new ChartSeries { Name = name, X = [.. Enumerable.Range(1, y.Length).Select(i => (double)i)], Y = y };
    }

    /// <summary>Values at given places.</summary>
    /// <param name="name">What they are of.</param>
    /// <param name="x">The places, in order for lines.</param>
    /// <param name="y">As many values.</param>
    /// <exception cref="LabException">There are not as many values as places.</exception>
    public static ChartSeries Of(string name, IEnumerable<double> x, IEnumerable<double> y)
    {
        var series = new ChartSeries { Name = name, X = [.. x], Y = [.. y] };
        series.Validate();
        return series;
    }

    /// <summary>Checks that everything is as long as it must be.</summary>
    /// <exception cref="LabException">There are not as many values, labels or intervals as places.</exception>
    internal void Validate()
    {
        if (Intervals is not null && Intervals.Count != Y.Count)
            throw new LabException($"The series \"{Name}\" has {Y.Count} values and {Intervals.Count} intervals: there must be as many.");
        if (X.Count != Y.Count || (Labels is not null && Labels.Count != Y.Count))
            throw new LabException(
                $"The series \"{Name}\" has {X.Count} places, {Y.Count} values{(Labels is null ? "" : $" and {Labels.Count} labels")}: "
                + "there must be as many of each.");
    }

    /// <summary>Every second, third … point, at most so many: of dots, whose extremes alone would show another scatter.</summary>
    /// <param name="most">Points to keep, at least 1.</param>
    internal ChartSeries Sample(int most)
    {
        var stride = (Y.Count + most - 1) / most;
        IReadOnlyList<T> Every<T>(IReadOnlyList<T> all) => [.. all.Where((_, i) => i % stride == 0)];
        return stride <= 1 ? this : this with
        {
            X = Every(X),
            Y = Every(Y),
            Labels = Labels is null ? null : Every(Labels),
            Intervals = Intervals is null ? null : Every(Intervals),
        };
    }

    /// <summary>
    /// The same line without the points that lie on the straight between their neighbours, as those of a constant rate do.
    /// </summary>
    internal ChartSeries Straighten()
    {
        List<int> kept = [];
        for (var i = 0; i < Y.Count; i++)
        {
            if (kept.Count == 0 || i == Y.Count - 1 || Labels is not null || Intervals is not null || !IsBetween(kept[^1], i, i + 1))
                kept.Add(i);
        }

        return kept.Count == Y.Count ? this : this with { X = [.. kept.Select(i => X[i])], Y = [.. kept.Select(i => Y[i])] };
    }

    private bool IsBetween(int from, int at, int to)
    {
        if (!double.IsFinite(Y[from] + Y[at] + Y[to]) || X[to] == X[from])
            return false;
        var straight = Y[from] + ((X[at] - X[from]) / (X[to] - X[from]) * (Y[to] - Y[from]));
        return Math.Abs(straight - Y[at]) <= 1e-6 * Math.Max(Math.Abs(Y[from]), Math.Abs(Y[to]));
    }

    /// <summary>
    /// The same curve with about as many points as asked for: of each stretch the least and the largest value are kept, so that no spike is
    /// lost. Short series stay as they are.
    /// </summary>
    /// <param name="most">Points to keep, at least 4.</param>
    internal ChartSeries Thin(int most)
    {
        if (Y.Count <= most)
            return this;
        var buckets = most / 2;
        var kept = new SortedSet<int> { 0, Y.Count - 1 };
        for (var bucket = 0; bucket < buckets; bucket++)
        {
            int from = (int)((long)Y.Count * bucket / buckets), to = (int)((long)Y.Count * (bucket + 1) / buckets);
            var stretch = Enumerable.Range(from, to - from).Where(i => double.IsFinite(Y[i])).ToArray();
            if (stretch.Length == 0)
                kept.Add(from);
            else
                kept.UnionWith([stretch.MinBy(i => Y[i]), stretch.MaxBy(i => Y[i])]);
        }

        return this with
        {
            X = [.. kept.Select(i => X[i])],
            Y = [.. kept.Select(i => Y[i])],
            Labels = Labels is null ? null : [.. kept.Select(i => Labels[i])],
            Intervals = Intervals is null ? null : [.. kept.Select(i => Intervals[i])],
        };
    }
}
