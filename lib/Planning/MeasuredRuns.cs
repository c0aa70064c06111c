using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Planning;

/// <summary>The recorded runs of <c>bench memory</c> on a machine, beside what the planner now predicts for them.</summary>
/// <param name="Device">The device's product name.</param>
/// <param name="Runs">The runs that came to their end, in the order in which they were measured first.</param>
public sealed record MeasuredRuns(string Device, IReadOnlyList<MeasuredRun> Runs)
{
    /// <summary>How far a prediction may be from the measured peak, as a part of it.</summary>
    public const double Aim = 0.08;

    /// <summary>The run that is farthest off.</summary>
    public MeasuredRun Worst => Runs.MaxBy(run => Math.Abs(Math.Log(run.Ratio)))!;

    /// <summary>A run by its name.</summary>
    /// <param name="name">The case's name.</param>
    /// <exception cref="LabException">There is no such run.</exception>
    public MeasuredRun this[string name] => Runs.FirstOrDefault(run => run.Name == name)
        ?? throw new LabException($"No run is called '{name}'; measured were {string.Join(", ", Runs.Select(run => run.Name))}.");

    /// <summary>
    /// Reads the lines of kind <c>memory</c> of a results file. Lines of other kinds, unknown keys and truncated lines are ignored; of a
    /// repeated case the last line counts.
    /// </summary>
    /// <param name="folder">
    /// A folder of <c>tests/benchmarks/results</c>, such as <c>2026-11-28-h200</c>, or the path of another that holds a
    /// <c>results.jsonl</c>.
    /// </param>
    /// <param name="planner">What predicts the same runs.</param>
    /// <exception cref="LabException">There is no such file, a line lacks what a measured run needs, or no run came to its end.</exception>
    public static MeasuredRuns Read(string folder, MemoryPlanner planner)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(planner);
        var path = Path.Combine(ProjectFolder.Find(), "tests", "benchmarks", "results", folder, "results.jsonl");
        if (!File.Exists(path))
            throw new LabException(
                $"{path} does not exist. Dated results are folders of tests/benchmarks/results; bench memory --json writes such a file.");
        List<JsonField> lines =
            [.. File.ReadLines(path).Select((line, index) => JsonField.ParseLine(line, $"{path}, line {index + 1}")).OfType<JsonField>()
            .Where(line => line.Find("benchmark")?.Text() == "memory")];
        List<MeasuredRun> runs = [];
        foreach (var run in lines.Select(line => Run(line, planner)).OfType<MeasuredRun>())
        {
            var before = runs.FindIndex(other => other.Name == run.Name);
            if (before < 0)
                runs.Add(run);
            else
                runs[before] = run;
        }

        if (runs.Count == 0)
            throw new LabException($"{path} holds no run of bench memory that came to its end.");
        return new MeasuredRuns(lines[0].Find("device")?.Text() ?? "an unnamed device", runs);
    }

    /// <summary>The run that measured such settings, or null; see <see cref="MeasuredRun.IsOf"/>.</summary>
    /// <param name="settings">The settings.</param>
    public MeasuredRun? Find(MemorySettings settings) => Runs.FirstOrDefault(run => run.IsOf(settings));

    // A run that failed has no peak to compare with.
    private static MeasuredRun? Run(JsonField line, MemoryPlanner planner)
    {
        var name = line.Find("case")?.Text() ?? "(no case)";
        if (line.Find("result") is not { } result || result.Find("phases") is null || line.Find("settings") is not { } settings)
            throw new LabException($"{line.Source}: the run '{name}' lacks its phases or its settings.");
        var row = result.To<CalibrationRow>();
        if (row.Phases.Any(phase => phase is null))
            throw new LabException($"{line.Source}: a phase of the run '{name}' is null.");
        if (row.Failure is not null || row.Measured <= 0)
            return null;
        var forecast = planner.Forecast(settings.To<MemorySettings>());
        return new MeasuredRun(
            row.Name, forecast, row.Figure, [.. row.Phases.Select(phase => phase with { Predicted = forecast.PeakOf(phase.Phase) ?? 0 })]);
    }
}
