using System.CommandLine;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora diff</c>: in which layers two LoRAs differ, and by how much.</summary>
internal static class LoraDiffVerb
{
    private const int LongestText = 100;

    public static Command Create(Session session)
    {
        var first = new Argument<string>("A") { Description = "A LoRA file of any layout, or a folder that holds one." };
        var second = new Argument<string>("B") { Description = "Another." };
        var verb = new Command(
            "diff",
            "Compares what two LoRAs change, layer by layer and in Float64, whatever their layouts. The exit code is 0 where they act "
            + "alike and 1 where they differ; metadata is told and does not count.")
        { first, second };
        var listed = verb.AddNumber("--layers", "How many layers are listed, those that differ most first.", 10);
        var tolerance = verb.AddNumber(
            "--tolerance", "Up to which difference two layers act alike, as a part of the larger change's norm.", 1e-6);
        verb.SetAction(result =>
        {
            var (most, part) = (result.GetValue(listed), result.GetValue(tolerance));
            if (most < 0)
                throw new UsageException($"--layers is {most}; it must be 0 or more.");
            if (!(part >= 0 && part <= 2))
                throw new UsageException(FormattableString.Invariant($"--tolerance is {part}; it must be from 0 to 2."));
            using var one = LoraContents.Read(result.GetValue(first)!);
            using var two = LoraContents.Read(result.GetValue(second)!);
            foreach (var warning in one.Warnings.Concat(two.Warnings).Distinct())
                session.Warn(warning);
            var difference = LoraDifference.Between(one, two, session.Cancellation);
            foreach (var line in Lines(one, two, difference, most))
                session.Output.WriteLine(line);
            var isSame = difference.IsWithin(part);
            session.Output.WriteLine(isSame ? "they act alike" : "they differ");
            return isSame ? ExitCode.Success : ExitCode.Failure;
        });
        return verb;
    }

    private static IEnumerable<string> Lines(LoraContents one, LoraContents two, LoraDifference difference, int most)
    {
        yield return $"A: {one.File}, {LoraExport.Layers(one.LayerCount)}";
        yield return $"B: {two.File}, {LoraExport.Layers(two.LayerCount)}";
        foreach (var (key, first, second) in difference.Metadata)
            yield return $"metadata {ShownText.Line(key, LongestText)}: {Shown(first)} in A, {Shown(second)} in B";
        foreach (var (name, layers) in new[] { ("A", difference.OnlyFirst), ("B", difference.OnlySecond) })
        {
            if (layers.Count > 0)
                yield return $"only in {name}: {LoraExport.Layers(layers.Count)}: {ShownText.Names([.. layers])}";
        }

        var shown = difference.Layers.Where(layer => layer.Largest > 0).Take(most).ToList();
        if (shown.Count > 0)
            yield return Table(shown);
        var equal = difference.Layers.Count(layer => layer.Largest == 0);
        yield return $"in both: {LoraExport.Layers(difference.Layers.Count)}, {equal} of them equal";
        yield return FormattableString.Invariant($"all together: difference {difference.Relative:g3}, cosine ")
            + (difference.Cosine is { } cosine ? FormattableString.Invariant($"{cosine:0.######}") : "none: one changes nothing");
    }

    private static string Table(IReadOnlyList<LoraLayerDifference> layers)
    {
        var table = TextTable.Of(
            layers, ("layer", layer => layer.Key), ("rank", layer => Pair(layer.First.Rank, layer.Second.Rank)),
            ("norm of A", layer => Figure(layer.FirstNorm)), ("norm of B", layer => Figure(layer.SecondNorm)),
            ("difference", layer => Figure(layer.Relative)),
            ("cosine", layer => layer.Cosine is { } cosine ? FormattableString.Invariant($"{cosine:0.####}") : null));
        return (layers.Any(layer => layer.Rest > 0)
            ? table with
            {
                Columns = [.. table.Columns, "beside it"],
                Rows = [.. table.Rows.Zip(layers, (row, layer) => (IReadOnlyList<string>)[.. row, Figure(layer.Rest)])],
                Note = "difference: of the larger norm; beside it: the same of magnitudes or biases.",
            }
            : table with { Note = "difference: of the larger norm." }).ToText();
    }

    private static string Pair(int first, int second) => first == second ? $"{first}" : $"{first}, {second}";

    private static string Figure(double value) => FormattableString.Invariant($"{value:g3}");

    private static string Shown(string? text) => text is null ? "none" : $"'{ShownText.Line(text, LongestText)}'";
}
