using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora</c>: what a LoRA file holds, and the same LoRA in another layout.</summary>
internal static class LoraVerb
{
    private const int LongestText = 160;

    public static Command Create(Session session) => new("lora", "LoRA files: what they hold, and the same in another layout.")
    {
        Inspect(session),
        Convert(session),
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
        var layout = new Option<string>("--to")
        {
            HelpName = "LAYOUT",
            Required = true,
            Description = $"The layout: {string.Join(", ", LoraExport.Layouts)}; comfyui stands for the original names.",
        };
        var path = new Option<string>("--output", "-o")
        {
            HelpName = "FILE",
            Required = true,
            Description = "The file to write; for peft a folder.",
        };
        var verb = new Command("convert", "Writes a LoRA in another layout; what that cannot express is told.") { file, layout, path };
        verb.SetAction(result =>
        {
            var (source, target, to) = (result.GetValue(file)!, result.GetValue(path)!, result.GetValue(layout)!.ToLowerInvariant());
            if (!LoraExport.Layouts.Contains(to))
                throw new UsageException($"--to is {ShownText.Line(to, 40)}; valid is {string.Join(", ", LoraExport.Layouts)}.");
            var read = LoraFile.Resolve(source);
            if (RealPath.AreSame(read, LoraExport.FileOf(target, to)))
                throw new UsageException($"--output {target} would replace {read}, the file that is read; give another.");
            using var contents = LoraContents.Read(read);
            foreach (var warning in contents.Warnings.Concat(LoraExport.Save(target, contents, to)))
                session.Warn(warning);
            session.Output.WriteLine($"{target}: {LoraExport.Layers(contents.LayerCount)} in the layout of {to}");
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
