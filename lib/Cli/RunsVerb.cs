using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>runs</c>: the trainings in a folder, and how two of them differ.</summary>
internal static class RunsVerb
{
    private const string DefaultFolder = "outputs";
    private const int LongestPrompt = 40;
    private const int MostShown = 20;

    public static Command Create(Session session)
    {
        var folder = new Argument<string>("FOLDER")
        {
            Description = "Folder to look through, four deep.",
            DefaultValueFactory = _ => DefaultFolder,
        };
        var verb = new Command(
            "runs",
            "Lists the trainings in a folder: how far each is, its steps, loss, prompt, rank, size and scores. `runs diff A B` compares "
            + "two.")
        { folder };
        var json = verb.AddSwitch("--json", "Print the list as JSON.");
        verb.SetAction(result =>
        {
            var root = result.GetValue(folder)!;
            if (!Directory.Exists(root))
                throw new LabException($"There is no folder {ShownText.Line(root)}; name the one that trainings write to.");
            var runs = TrainingRun.List(root, session.Warn);
            var evaluated = EvaluatedSet.Find(root);
            session.Output.WriteLine(result.GetValue(json)
                ? JsonSerializer.Serialize(runs.Select(run => Described(run, Scores(run, evaluated))), JsonFile.Options)
                : runs.Count == 0 ? $"There is no training in {root}." : Table(runs, root, evaluated).ToText());
            return ExitCode.Success;
        });
        verb.Subcommands.Add(Diff(session));
        return verb;
    }

    private static Command Diff(Session session)
    {
        var first = new Argument<string>("A") { Description = "A training's output folder." };
        var second = new Argument<string>("B") { Description = "Another." };
        var verb = new Command(
            "diff",
            "Compares two trainings: options of their recipes, pictures and captions that they learn from, steps, loss and scores. The "
            + "exit code is 0 where recipes and data are the same and 1 where they differ.")
        { first, second };
        var json = verb.AddSwitch("--json", "Print the differences as JSON.");
        verb.SetAction(result =>
        {
            var (one, two) = (TrainingRun.Read(result.GetValue(first)!), TrainingRun.Read(result.GetValue(second)!));
            var difference = RunDifference.Between(one, two);
            difference = difference with { Figures = [.. difference.Figures, .. Evaluated(one, two)] };
            if (result.GetValue(json))
                session.Output.WriteLine(JsonSerializer.Serialize(Described(difference), JsonFile.Options));
            else
                Write(one, two, difference, session.Output);
            return difference.IsAny ? ExitCode.Failure : ExitCode.Success;
        });
        return verb;
    }

    private static TextTable Table(IReadOnlyList<TrainingRun> runs, string root, IReadOnlyList<EvaluatedSet> evaluated) => TextTable.Of(
        runs, ("training", run => Path.GetRelativePath(root, run.Folder)), ("when (UTC)", run => When(run)),
        ("state", run => EnumNames.Of(run.State)), ("steps", run => $"{run.Steps}{(run.MaxSteps is { } most ? $"/{most}" : string.Empty)}"),
        ("loss", run => run.LastLoss is { } loss ? Figure(loss, "0.0000") : null),
        ("prompt", run => run.Prompt is { } prompt ? ShownText.Line(prompt, LongestPrompt) : null), ("rank", run => run.Recipe.Rank),
        ("size", run => ByteSize.Text(run.Bytes)), ("scores", run => ScoreText(Scores(run, evaluated)))) with
    { Note = "loss: the mean of the last ten steps." };

    private static string? ScoreText((string Name, string Judge, IReadOnlyDictionary<string, double> Means)? scores) =>
        scores is not { } known ? null
            : string.Join("  ", known.Means.Select(score => $"{score.Key} {Figure(score.Value, "0.000")}")) + $"  ({known.Name})";

    // An evaluation's figures are of more pictures than a validation's.
    private static (string Name, string Judge, IReadOnlyDictionary<string, double> Means)? Scores(
        TrainingRun run, IReadOnlyList<EvaluatedSet> evaluated)
    {
        var own = evaluated.Where(set => RealPath.IsWithin(set.Lora, run.Folder)).ToList();
        if ((own.Find(set => set.IsSuggested) ?? own.FirstOrDefault()) is { } best)
            return (best.Name, best.Judge, best.Means);
        return run.Scored is { } record
            ? (string.Create(CultureInfo.InvariantCulture, $"validation at step {record.Step}"), record.Judge ?? "unknown", record.Scores!)
            : null;
    }

    private static IEnumerable<(string Name, double? First, double? Second)> Evaluated(TrainingRun first, TrainingRun second)
    {
        var sides = new[] { first, second }.Select(run =>
        {
            var beside = Path.GetDirectoryName(run.Folder);
            var sets = beside is null ? [] : EvaluatedSet.Find(beside).Where(set => RealPath.IsWithin(set.Lora, run.Folder)).ToList();
            return sets.Find(set => set.IsSuggested) ?? sets.FirstOrDefault();
        }).ToArray();
        double? Of(EvaluatedSet? set, string name) => set?.Means.TryGetValue(name, out var value) == true ? value : null;
        return sides.SelectMany(set => set?.Means.Keys ?? []).Distinct(StringComparer.Ordinal)
            .Select(name => ($"evaluated {name}", Of(sides[0], name), Of(sides[1], name)));
    }

    private static object Described(TrainingRun run, (string Name, string Judge, IReadOnlyDictionary<string, double> Means)? scores) => new
    {
        run.Folder,
        when = run.When,
        state = EnumNames.Of(run.State),
        run.Steps,
        run.MaxSteps,
        run.LastLoss,
        instance_prompt = run.Prompt,
        run.Recipe.Rank,
        run.Bytes,
        message = run.State == RunState.Failed ? run.Record?.Message : null,
        scores = scores is { } known ? new { of = known.Name, known.Judge, known.Means } : null,
    };

    private static object Described(RunDifference difference) => new
    {
        differs = difference.IsAny,
        difference.Recipe,
        data = new { same = difference.SameData, difference.Added, difference.Removed, difference.Captions },
        figures = difference.Figures.Select(figure => new { figure.Name, figure.First, figure.Second }),
    };

    private static void Write(TrainingRun first, TrainingRun second, RunDifference difference, TextWriter output)
    {
        output.WriteLine($"A: {first.Folder}, {EnumNames.Of(first.State)}");
        output.WriteLine($"B: {second.Folder}, {EnumNames.Of(second.State)}");
        output.WriteLine();
        output.WriteLine(difference.Recipe.Count == 0 ? "recipe: the same, but for output folders"
            : TextTable.Of(
                difference.Recipe, ("option", option => option.Name), ("A", option => ShownText.Line(option.First, LongestPrompt)),
                ("B", option => ShownText.Line(option.Second, LongestPrompt))).ToText());
        output.WriteLine();
        foreach (var line in Data(difference))
            output.WriteLine(line);
        output.WriteLine();
        output.WriteLine(TextTable.Of(
            difference.Figures, ("figure", figure => figure.Name), ("A", figure => Shown(figure.First)),
            ("B", figure => Shown(figure.Second)), ("B − A", figure => Shown(figure.Second - figure.First))).ToText());
    }

    private static IEnumerable<string> Data(RunDifference difference)
    {
        yield return difference.SameData switch
        {
            null => "data: not known, since one of the two was trained before pictures were recorded",
            true => "data: the same pictures and prompts",
            false => "data: other pictures or prompts",
        };
        if (difference.Added.Count > 0)
            yield return $"  pictures that only B has: {difference.Added.Count}: {ShownText.Names(difference.Added, MostShown)}";
        if (difference.Removed.Count > 0)
            yield return $"  pictures that only A has: {difference.Removed.Count}: {ShownText.Names(difference.Removed, MostShown)}";
        foreach (var caption in difference.Captions.Take(MostShown))
        {
            yield return $"  caption of {ShownText.Line(caption.Name)}: “{ShownText.Line(caption.First)}” in A, "
                + $"“{ShownText.Line(caption.Second)}” in B";
        }

        if (difference is { SameData: false, Added.Count: 0, Removed.Count: 0, Captions.Count: 0 })
            yield return "  the instance pictures are the same: class pictures or prompts differ";
    }

    private static string When(TrainingRun run) => run.When.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static string? Shown(double? value) => value is { } known ? Figure(known, "0.####") : null;

    private static string Figure(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
