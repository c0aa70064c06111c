using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora</c>: what LoRA files hold, and new ones made of them.</summary>
internal static class LoraVerb
{
    private const int LongestText = 160;

    public static Command Create(Session session) => new("lora", "LoRA files: what they hold, and others made of them.")
    {
        Inspect(session),
        Convert(session),
        LoraDiffVerb.Create(session),
        LoraResizeVerb.Create(session),
        LoraMergeVerb.Create(session),
        LoraExtractVerb.Create(session),
        LoraVerifyVerb.Create(session),
    };

    private static Command Inspect(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "A LoRA file of any layout, or a folder that holds one." };
        var deep = new Option<bool>("--deep")
        {
            Description = "Read all values too: the strength of each block, and values that are not finite.",
        };
        var verb = new Command("inspect", "Tells layout, variant, ranks, alphas, base model and metadata of a LoRA file.") { file, deep };
        verb.SetAction(result =>
        {
            var inspection = LoraInspection.Read(result.GetValue(file)!, result.GetValue(deep));
            foreach (var line in Lines(inspection))
                session.Output.WriteLine(line);
            foreach (var warning in inspection.Warnings)
                session.Warn(warning);
            if (inspection.Layers.Count == 0 || inspection.NotFinite is { Count: > 0 })
                return ExitCode.Failure;
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command Convert(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "A LoRA file of any layout, or a folder that holds one." };
        var verb = new Command("convert", "Writes a LoRA in another layout; what that cannot express is told.") { file };
        var output = new LoraOutput(verb, isLayoutRequired: true);
        verb.SetAction(result =>
        {
            var read = LoraFile.Resolve(result.GetValue(file)!);
            var (path, layout) = output.Of(result, read);
            using var contents = LoraContents.Read(read);
            foreach (var warning in contents.Warnings.Concat(LoraExport.Save(path, contents, layout)))
                session.Warn(warning);
            session.Output.WriteLine(LoraOutput.Written(path, contents, layout));
            return ExitCode.Success;
        });
        return verb;
    }

    private static IEnumerable<string> Lines(LoraInspection file)
    {
        var layers = file.Layers;
        yield return $"{file.File}: {file.Tensors} tensors, {file.Unused.Count} of them not used";
        if (layers.Count == 0)
            yield break;
        yield return $"layout: {Counted(layers.Select(layer => $"{layer.Layout}"))}";
        yield return $"variant: {Counted(layers.Select(layer => $"{layer.Variant}"))}";
        yield return $"layers: {Counted(layers.Select(layer => layer.Component))}";
        var scales = layers.Select(layer => Text($"{layer.Rank}, {layer.Alpha:0.####}, {layer.Factor:0.####}"));
        yield return $"rank, alpha, factor: {Counted(scales)}";
        yield return $"base model: {file.BaseModel ?? "not known by its widths"}";
        foreach (var (key, text) in file.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            yield return $"metadata {key}: {ShownText.Line(text, LongestText)}";
        foreach (var group in layers.Where(layer => layer.Strength is not null).GroupBy(layer => (layer.Component, layer.Block))
            .OrderBy(group => group.Key.Component, StringComparer.Ordinal).ThenBy(group => group.Key.Block))
        {
            var norm = Math.Sqrt(group.Sum(layer => layer.Strength!.Value * layer.Strength.Value));
            var where = group.Key.Block is { } block ? Text($"block {block}") : "outside blocks";
            yield return Text($"strength {group.Key.Component} {where}: {norm:0.####}");
        }

        if (file.NotFinite is { } wrong)
            yield return wrong.Count == 0 ? "all values are finite" : $"not finite: {ShownText.Names([.. wrong])}";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Counted(IEnumerable<string> texts)
    {
        var groups = texts.GroupBy(text => text).OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal);
        return string.Join("; ", groups.Select(group => Text($"{group.Key} ({LoraExport.Layers(group.Count())})")));
    }
}
