using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>
/// Every view to look at, written to outputs/display; run with <c>dotnet test tests --filter Category=Sheets</c> when LAB_SHEETS is set.
/// </summary>
[Trait("Category", "Sheets")]
public class ViewGallery
{
    private static readonly string _folder = Path.Combine(GoldenSet.RepositoryRoot, "outputs", "display");

    [Fact]
    public void Write_EveryView_GivesPages()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("LAB_SHEETS") is null, "Set LAB_SHEETS=1 to write the views to outputs/display.");
        (string Name, HtmlView View)[] views = [.. Views()];
        foreach (var (name, view) in views)
        {
            AtomicFile.WriteAllText(Path.Combine(_folder, "text", name + ".txt"), view.ToText());
            AtomicFile.WriteAllText(Path.Combine(_folder, "json", name + ".json"), view.ToPlotlyJson() ?? "null");
            if (view.ToPng() is { } png)
                AtomicFile.Write(Path.Combine(_folder, "png", name + ".png"), stream => stream.Write(png));
        }

        // As in a notebook: fragments below each other on the host's own background.
        string Page(string attributes, string background) =>
            $"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body {attributes} "
            + $"style='margin:0;padding:24px;background:{background}'>"
            + string.Join(
                "\n", views.Select(entry => $"<p style='font:12px monospace;color:#888'>{entry.Name}, {entry.View.ToHtml().Length:N0}, png "
                    + $"{entry.View.ToPng()?.Length:N0}, plotly {entry.View.ToPlotlyJson()?.Length:N0}</p>\n{entry.View.ToHtml()}"))
                    + "</body></html>";
        AtomicFile.WriteAllText(Path.Combine(_folder, "jupyter-light.html"), Page("data-jp-theme-light='true'", "#fff"));
        AtomicFile.WriteAllText(Path.Combine(_folder, "jupyter-dark.html"), Page("data-jp-theme-light='false'", "#111"));
        AtomicFile.WriteAllText(Path.Combine(_folder, "vscode-dark.html"), Page("class='vscode-dark'", "#1f1f1f"));
        AtomicFile.WriteAllText(Path.Combine(_folder, "unknown.html"), Page("", "#fff"));
        // As on sites that take out styles, scripts and drawings.
        var bare = System.Text.RegularExpressions.Regex.Replace(
            Page("", "#fff"), "<(style|script|svg)[^>]*>.*?</\\1>|style=\"[^\"]*\"|class=\"[^\"]*\"", "",
            System.Text.RegularExpressions.RegexOptions.Singleline);
        AtomicFile.WriteAllText(Path.Combine(_folder, "bare.html"), bare);
        new Report
        {
            Title = "Every view",
            Lead = "As a page.",
            Sections = [.. views.Select(entry => new ReportSection(entry.Name, "", [entry.View]))],
        }.Save(Path.Combine(_folder, "page.html"));
        AtomicFile.WriteAllText(Path.Combine(_folder, "times.txt"), string.Join("\n", Times()));
        Assert.True(views.Length >= 16);
    }

    private static IEnumerable<string> Times()
    {
        for (var i = 0; i < 5; i++)
        {
            var plot = ViewSamples.Loss(350);
            var clock = System.Diagnostics.Stopwatch.StartNew();
            plot.ToPng();
            var png = clock.Elapsed.TotalMilliseconds;
            plot.ToHtml();
            var html = clock.Elapsed.TotalMilliseconds - png;
            plot.ToPlotlyJson();
            yield return FormattableString.Invariant(
                $"png {png:0} ms, html {html:0} ms, plotly {clock.Elapsed.TotalMilliseconds - png - html:0} ms");
        }
    }

    private static IEnumerable<(string Name, HtmlView View)> Views()
    {
        yield return ("loss", ViewSamples.Loss(350) with { MaxSteps = 500 });
        yield return ("loss-first-steps", ViewSamples.Loss(12) with { MaxSteps = 500, Validation = [] });
        yield return ("loss-756", ViewSamples.Loss(756));
        yield return ("loss-empty", new LossPlot { Records = [] });
        yield return ("memory-chart",
            ViewSamples.Memory("text encoders") with
            {
                Title = "Memory by phase, SD3.5-medium, 512 px, batch 1",
                Caption = "Planned parts against the allocator's measured peak.",
            });
        yield return ("memory-table", new MemoryTable
        {
            Title = "The tutorial's table beside ours",
            Rows = [new("tutorial, one GPU", (long)(36.0 * (1L << 30)), (long)(40.6 * (1L << 30)), null, "published"),
                new("ours, planned", (long)(15.1 * (1L << 30)), null, null, "planner"),
                new("miniature on this machine", 410L << 20, null, 1200L << 20, "measured")],
        });
        yield return ("config", ConfigTable.Of(DreamBoothConfig.Sd35MediumTutorial) with { Title = "The tutorial's recipe" });
        yield return ("config-defaults", ConfigTable.Of(ViewSamples.Config));
        yield return ("progress", ViewSamples.Progress("training") with { Note = "loss 0.213" });
        if (Directory.Exists(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini", "tokenizer")))
        {
            var mini = Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini");
            yield return ("tokens-mini",
                TokenView.Of(
                    "a photo of gmc cat wearing a red scarf in the snow",
                    [("CLIP-L", TokenizerLoader.Load(Path.Combine(mini, "tokenizer"))),
                        ("T5", TokenizerLoader.Load(Path.Combine(mini, "tokenizer_3")))], "gmc"));
        }

        if (GoldenSet.TokenizerRoot is { } root)
        {
            (string, ITextTokenizer)[] tokenizers =
                [.. Directory.GetDirectories(root).Order(StringComparer.Ordinal)
                    .Select(folder => (Path.GetFileName(folder), TokenizerLoader.Load(folder)))];
            yield return ("tokens", TokenView.Of("a photo of gmc cat wearing a red scarf in the snow", tokenizers, "gmc"));
        }

        yield return ("overlay", ViewSamples.Overlay("attention from “gmc”, block 8") with { Range = ("0", "0.031") });
        yield return ("overlay-alone",
            ViewSamples.Overlay("attention from “gmc”, block 8") with { Range = ("0", "0.031"), SideBySide = false });
        yield return ("lines",
            ViewSamples.Lines("shift 1") with
            {
                Title = "The noise schedule",
                XTitle = "step",
                YTitle = "sigma",
                Caption = "A larger shift spends more steps at high noise.",
            });
        yield return ("lines-log",
            new LineChart
            {
                Title = "Cost by resolution",
                XTitle = "pixels per side",
                YTitle = "seconds per step",
                LogX = true,
                LogY = true,
                Series = [ChartSeries.Of("batch 1", [128, 256, 512, 1024], [0.02, 0.07, 0.31, 1.6]) with { Mark = ChartMark.LineAndPoints },
                    ChartSeries.Of("batch 4", [128, 256, 512, 1024], [0.05, 0.21, 1.1, 6.3]) with { Mark = ChartMark.LineAndPoints }],
            });
        yield return ("bars",
            ViewSamples.Bars("subject fidelity") with
            {
                Title = "Scores by family",
                YTitle = "mean score, 0 … 1",
                Categories = ["recontextualize", "setting", "outfit", "accessory", "painted as"],
                Caption = "Higher is better.",
            });
        yield return ("scatter",
            ViewSamples.Scatter("step 175") with { Title = "Fidelity against adherence", Caption = "Each point is one LoRA scale." });
        yield return ("rating", ViewSamples.Rating("a photo of gmc cat on the beach"));
        yield return ("rating-done", ViewSamples.Rating("LoRA scale 0.7").Choose("left").Choose("tie"));
        yield return ("grid",
            ViewSamples.Grid("a photo of gmc cat wearing a red scarf") with
            {
                Title = "Before and after",
                ColumnHeadings = ["seed 1", "seed 2", "seed 1", "seed 2"],
                ColumnGroups = [("before", 2), ("after", 2)],
            });
        yield return ("grid-flow",
            ImageGrid.Of(
                Enumerable.Range(0, 24)
                    .Select(
                        i => GridCell.FromFile(
                            Path.Combine(GoldenSet.RepositoryRoot, "data", "cat_gmc", $"gmc_{i:000}.png"), "", $"gmc_{i:000}.png")),
                            12) with
            { CellSize = 90 });
        yield return ("facts", new FactList([("pictures to learn from", "24"), ("training steps", "350"), ("in all", "3:12 min")]));
        yield return ("table",
            TextTable.Of(
                [("before", 12, 14.2), ("training", 350, 91.0)], ("Phase", row => row.Item1), ("Done", row => row.Item2),
                ("Seconds", row => row.Item3)));
    }
}
