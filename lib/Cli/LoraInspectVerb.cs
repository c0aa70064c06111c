using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora inspect</c>: what a LoRA file holds, and which models it fits.</summary>
internal static class LoraInspectVerb
{
    private const int LongestText = 160;
    private const int BarWidth = 32;

    public static Command Create(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "A LoRA file of any layout, or a folder that holds one." };
        var verb = new Command(
            "inspect", "Tells layout, variant, ranks, alphas, metadata and base model of a LoRA file, and which models it fits.") { file };
        var deep = verb.AddSwitch("--deep", "Read all values too: the strength of each block, and values that are not finite.");
        var plot = verb.AddText("--plot", "FILE", "With --deep, draw the strength of the blocks as a .png or an .html page.", null);
        verb.SetAction(result =>
        {
            var chart = result.GetValue(plot);
            if (chart is not null && !result.GetValue(deep))
                throw new UsageException("--plot draws strengths, which are values: give --deep too.");
            if (chart is not null && !new[] { ".png", ".html" }.Contains(Path.GetExtension(chart).ToLowerInvariant()))
                throw new UsageException($"--plot is {ShownText.Line(chart, LongestText)}; valid is a name that ends in .png or .html.");
            var inspection = LoraInspection.Read(result.GetValue(file)!, result.GetValue(deep));
            foreach (var line in Lines(inspection))
                session.Output.WriteLine(line);
            foreach (var warning in inspection.Warnings)
                session.Warn(warning);
            if (chart is not null && inspection.Blocks.Count > 0)
                Write(chart, inspection);
            if (inspection.Layers.Count == 0 || inspection.NotFinite is { Count: > 0 })
                return ExitCode.Failure;
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
        foreach (var fit in LoraFit.Of(layers, SingleFilePreset.Published))
        {
            yield return fit.IsWhole
                ? $"fits {fit.Model}"
                : $"does not fit {fit.Model}: {fit.Fitting} of {LoraExport.Layers(fit.Total)} do, not {fit.Misfit}";
        }

        foreach (var (key, text) in file.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            yield return $"metadata {key}: {ShownText.Line(text, LongestText)}";
        foreach (var line in Bars(file.Blocks))
            yield return line;
        if (file.NotFinite is { } wrong)
            yield return wrong.Count == 0 ? "all values are finite" : $"not finite: {ShownText.Names([.. wrong])}";
    }

    private static IEnumerable<string> Bars(IReadOnlyList<LoraBlockStrength> blocks)
    {
        if (blocks.Count == 0)
            yield break;
        var largest = blocks.Max(block => block.Norm);
        string[] texts = [.. blocks.Select(block => Text($"strength {block.Component} {block.Place}: {block.Norm:0.####}"))];
        var width = texts.Max(text => text.Length);
        foreach (var (text, block) in texts.Zip(blocks))
        {
            var length = largest > 0 ? (int)Math.Round(BarWidth * block.Norm / largest) : 0;
            yield return $"{text.PadRight(width)}  {new string('█', length)}".TrimEnd();
        }
    }

    private static void Write(string path, LoraInspection file)
    {
        BarChart[] charts = [.. file.Blocks.GroupBy(block => block.Component).Select(model => new BarChart
        {
            Title = $"Strength of each block of the {model.Key}",
            Caption = Path.GetFileName(file.File),
            YTitle = "norm of the change",
            Categories = [.. model.Select(block => block.Place)],
            Series = [ChartSeries.Of("LoRA", model.Select(block => block.Norm))],
        })];
        if (Path.GetExtension(path).Equals(".html", StringComparison.OrdinalIgnoreCase))
        {
            AtomicFile.WriteAllText(path, HtmlPage.Write(Path.GetFileName(file.File), writer =>
            {
                foreach (var chart in charts)
                    chart.Write(writer);
            }));
            return;
        }

        // A picture has one model's blocks: the transformer's where it has any.
        var drawn = Array.Find(charts, chart => chart.Title.EndsWith("the transformer", StringComparison.Ordinal)) ?? charts[0];
        AtomicFile.Write(path, stream => stream.Write(drawn.ToPng()));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Counted(IEnumerable<string> texts)
    {
        var groups = texts.GroupBy(text => text).OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal);
        return string.Join("; ", groups.Select(group => Text($"{group.Key} ({LoraExport.Layers(group.Count())})")));
    }
}
