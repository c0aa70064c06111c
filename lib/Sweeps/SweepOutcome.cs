namespace Dreambooth.Lab.Sweeps;

/// <summary>A finished sweep: its pictures with their records, and its folder.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Folder">The folder of its pictures, <c>results.jsonl</c> and <c>results.csv</c>; a full path.</param>
/// <param name="Results">One record a picture, in the order of the sweep.</param>
/// <param name="Made">Pictures that this run made; the others were there from an earlier one.</param>
/// <param name="Seconds">Wall time of this run.</param>
public sealed record SweepOutcome(string Name, string Folder, IReadOnlyList<SweepResult> Results, int Made, double Seconds)
{
    /// <summary>Pictures of other parts (<see cref="StudyConfig.Shard"/>) that are not there yet; 0 once the sweep is whole.</summary>
    public int Missing { get; init; }

    /// <summary>Means over all pictures, by score; empty where nothing scored them.</summary>
    public IReadOnlyDictionary<string, double> Means => SweepMean.Over(Results);

    /// <summary>A picture's file.</summary>
    /// <param name="result">One of <see cref="Results"/>.</param>
    public string PathOf(SweepResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Path.Combine(Folder, result.Path);
    }

    /// <summary>The same with some of the pictures only.</summary>
    /// <param name="keep">Which.</param>
    public SweepOutcome Where(Func<SweepResult, bool> keep) => this with { Results = [.. Results.Where(keep)] };

    /// <summary>The same with the pictures at some places of an axis only, place by place.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="places">The places' labels, in the order that the pictures shall have; one that is named twice counts once.</param>
    public SweepOutcome At(SweepAxis axis, params IEnumerable<string> places)
    {
        ArgumentNullException.ThrowIfNull(axis);
        return this with
        {
            Results =
            [.. places.Distinct().SelectMany(place => Results.Where(result => axis.LabelOf(result.Item) == place))]
        };
    }
}
