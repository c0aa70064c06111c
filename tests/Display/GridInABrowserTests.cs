using Dreambooth.Lab.Display;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Kernel;
using Microsoft.Playwright;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>A grid laid out by headless Chromium. Skipped where Debian's chromium is missing.</summary>
public sealed class GridInABrowserTests
{
    private const string Boxes = """
        selector => [...document.querySelectorAll(selector)].map(element => {
            const box = element.getBoundingClientRect();
            return [box.left, box.right, box.top, box.bottom];
        })
        """;

    [Theory]
    [InlineData(400)]
    [InlineData(640)]
    [InlineData(1200)]
    public async Task Headings_AtEveryWidth_StandOverTheirColumns(int width)
    {
        Assert.SkipUnless(File.Exists(NotebookServer.Chromium), "Debian's package chromium is not installed");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = NotebookServer.Chromium, Args = ["--no-sandbox"] });
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = 900 } });
        await page.SetContentAsync($"<!DOCTYPE html><html><body>{Grid().ToHtml()}</body></html>");

        var pictures = await page.EvaluateAsync<double[][]>(Boxes, ".lab-cells figure");
        var columns = await page.EvaluateAsync<double[][]>(Boxes, ".lab-cells .lab-column");
        var groups = await page.EvaluateAsync<double[][]>(Boxes, ".lab-cells .lab-group");
        var rows = await page.EvaluateAsync<double[][]>(Boxes, ".lab-cells .lab-row");

        Assert.Equal((8, 4, 2, 2), (pictures.Length, columns.Length, groups.Length, rows.Length));
        for (var i = 0; i < pictures.Length; i++)
        {
            var (picture, column) = (pictures[i], columns[i % 4]);
            Assert.True(
                Same(column[0], picture[0]) && Same(column[1], picture[1]) && column[3] <= picture[2],
                $"column {i % 4}: {Text(column)} over {Text(picture)}");
            Assert.True(rows[i / 4][2] < picture[3], $"row {i / 4}: {Text(rows[i / 4])} before {Text(picture)}");
        }

        for (var i = 0; i < 2; i++)
            Assert.True(
                Same(groups[i][0], columns[2 * i][0]) && Same(groups[i][1], columns[(2 * i) + 1][1]), $"group {i}: {Text(groups[i])}");
        Assert.True(pictures.All(box => box[0] >= 0 && box[1] <= width), "no picture lies outside of the window");
    }

    private static ImageGrid Grid()
    {
        var cell = GridCell.Of(new RgbImage(16, 16));
        return new()
        {
            Rows = [[cell, cell, cell, cell], [cell, cell, cell, cell]],
            RowHeadings = ["a cat on a sofa", "a cat in the snow"],
            ColumnHeadings = ["seed 1", "seed 2", "seed 1", "seed 2"],
            ColumnGroups = [("before", 2), ("after", 2)],
        };
    }

    private static bool Same(double one, double other) => Math.Abs(one - other) <= 1;

    private static string Text(double[] box) => string.Join(", ", box);
}
