using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora resize</c>: the same LoRA with other ranks.</summary>
internal static class LoraResizeVerb
{
    public static Command Create(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "A LoRA file of any layout, or a folder that holds one." };
        var verb = new Command(
            "resize",
            "Writes a LoRA with smaller ranks, each layer the nearest change of its rank, and tells each layer's error. A layer keeps its "
            + "factor; no rank grows.")
        { file };
        var ranks = new LoraRankOptions(verb);
        var listed = verb.AddNumber("--layers", "How many layers are listed, those with the largest error first.", 10);
        var output = new LoraOutput(verb);
        verb.SetAction(result =>
        {
            var choice = ranks.Of(result);
            choice.Validate();
            var source = LoraFile.Resolve(result.GetValue(file)!);
            var (path, layout) = output.Of(result, source);
            output.RequireNew(result, path, layout);
            using var contents = LoraContents.Read(source);
            var (resized, layers) = LoraResize.Run(contents, choice, session.Cancellation);
            using (resized)
            {
                var origin = LoraOrigin.Of($"lora resize{LoraRankOptions.Text(choice)}", [(source, null)]);
                foreach (var warning in contents.Warnings.Concat(LoraResize.Warnings(contents.Layers))
                    .Concat(LoraExport.Save(path, resized, layout, origin)))
                    session.Warn(warning);
                foreach (var line in Lines(layers, result.GetValue(listed)))
                    session.Output.WriteLine(line);
                session.Output.WriteLine(LoraOutput.Written(path, resized, layout));
            }

            return ExitCode.Success;
        });
        return verb;
    }

    /// <summary>What became of the layers: a table of those with the largest errors, and a summary.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="most">How many are listed.</param>
    /// <param name="isNew">Whether the layers had no rank before.</param>
    public static IEnumerable<string> Lines(IReadOnlyCollection<LoraResizedLayer> layers, int most, bool isNew = false)
    {
        var listed = layers.OrderByDescending(layer => layer.Error).ThenBy(layer => layer.Before.Key, StringComparer.Ordinal).Take(most);
        if (most > 0)
        {
            (string, Func<LoraResizedLayer, object?>)[] before =
                isNew ? [] : [("was", layer => $"{layer.Before.Variant} {layer.Before.Rank}")];
            yield return TextTable.Of(
                listed,
                [
                    ("layer", layer => layer.Before.Key), .. before, ("rank", layer => layer.Rank),
                    ("norm", layer => Figure(layer.Norm)), ("error", layer => Figure(layer.Error)),
                ]).ToText();
        }

        var ranks = layers.Select(layer => layer.Rank).ToList();
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"ranks {ranks.Min()} to {ranks.Max()}, {ranks.Average():0.#} on average; error of all layers together: ")
            + Figure(LoraResizedLayer.ErrorOf(layers));
    }

    private static string Figure(double value) => FormattableString.Invariant($"{value:g3}");
}
