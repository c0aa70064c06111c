using System.Text.Json;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Tests.Kernel;
using Microsoft.Playwright;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>A page of charts and tables laid out by headless Chromium. Skipped where Debian's chromium is missing.</summary>
public sealed class ReportInABrowserTests
{
    // Each chart's visible drawings: their edges in the window, the least size of their type on the screen, and the texts that leave them.
    private const string Charts = """
        () => [...document.querySelectorAll('.lab-chart')].map(chart => {
            const shown = [...chart.querySelectorAll('svg')].filter(svg => getComputedStyle(svg).display !== 'none');
            const box = shown[0].getBoundingClientRect(), view = shown[0].viewBox.baseVal;
            const outside = [...shown[0].querySelectorAll('text')].filter(text => {
                const place = text.getBoundingClientRect();
                return place.left < box.left - 1 || place.right > box.right + 1 || place.top < box.top - 1 || place.bottom > box.bottom + 1;
            }).map(text => text.textContent);
            return { count: shown.length, left: box.left, right: box.right, type: 12 * box.width / view.width, outside };
        })
        """;

    private const string Shades = """
        () => [...document.querySelectorAll('.lab-scroll')].filter(part => part.querySelector('table')).map(part =>
            getComputedStyle(part).backgroundAttachment)
        """;

    [Theory]
    [InlineData(400)]
    [InlineData(640)]
    [InlineData(800)]
    [InlineData(1280)]
    public async Task Charts_AtEveryWidth_FitAndCanBeRead(int width)
    {
        Assert.SkipUnless(File.Exists(NotebookServer.Chromium), "Debian's package chromium is not installed");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = NotebookServer.Chromium, Args = ["--no-sandbox"] });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = 900 } });
        await page.SetContentAsync(Page().ToHtml());

        var charts = await page.EvaluateAsync<JsonElement>(Charts);

        Assert.Equal(5, charts.GetArrayLength());
        foreach (var (place, chart) in charts.EnumerateArray().Index())
        {
            Assert.Equal(1, chart.GetProperty("count").GetInt32());
            Assert.InRange(chart.GetProperty("left").GetDouble(), 0, width);
            Assert.InRange(chart.GetProperty("right").GetDouble(), 0, width);
            Assert.InRange(chart.GetProperty("type").GetDouble(), 10, 18);
            Assert.True(chart.GetProperty("outside").GetArrayLength() == 0, $"chart {place}: {chart}");
        }

        Assert.False(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth > window.innerWidth"));
        Assert.Equal("local, local, scroll, scroll", Assert.Single(await page.EvaluateAsync<string[]>(Shades)));
    }

    private static Report Page() => new()
    {
        Title = "Charts",
        Sections =
        [
            new ReportSection("All", string.Empty,
            [
                new LossPlot { Records = [.. Enumerable.Range(1, 60).Select(step => ViewSamples.Step(step))], MaxSteps = 60 },
                new LineChart
                {
                    XTitle = "step",
                    YTitle = "a title that is longer than a narrow page is wide, so that it must be broken into lines",
                    Series = [.. Enumerable.Range(0, 6).Select(i => ChartSeries.Of($"the series with the number {i}", [i, 1e-5, 3]))],
                },
                new ScatterChart
                {
                    XTitle = "CLIP-T: adherence to the prompt",
                    YTitle = "DINO: fidelity to the subject",
                    Height = 380,
                    Series = [.. Enumerable.Range(0, 4).Select(i => ChartSeries.Of($"step {i} of the training", [0.71 + (i / 1e3)], [i]))],
                },
                Bars(["no LoRA", "step 65 × 0.7", "final × 1"]),
                Bars([.. Enumerable.Range(0, 9).Select(i => $"checkpoint-{i}000, a training with a long name × 0.7")]),
                new TextTable { Columns = [.. Wide("score")], Rows = [[.. Wide("0.123 (0.100 … 0.140)")]] },
            ]),
        ],
    };

    private static BarChart Bars(string[] names) => new()
    {
        Categories = names,
        YTitle = "pictures of the class prompt",
        Series = [ChartSeries.Of("drift", names.Select(_ => 0.3)), ChartSeries.Of("PRES (fidelity of the class)", names.Select(_ => 0.7))],
    };

    private static IEnumerable<string> Wide(string text) => Enumerable.Repeat(text, 9);
}
