using Dreambooth.Lab.Tests.Kernel;
using Microsoft.Playwright;

namespace Dreambooth.Lab.Tests.Notebooks;

/// <summary>
/// Notebooks of the series in the classic Notebook under headless Chromium: opened and run by clicking through their cells. Screenshots are
/// kept in outputs/notebooks-in-a-browser. Skipped where Debian's jupyter-notebook or chromium is missing.
/// </summary>
[Trait("Category", "Notebooks")]
public sealed class SeriesInABrowserTests : IDisposable
{
    // Every look that a cell's output has had, told by the page with each change: a clock of the page may miss some on a busy machine.
    private const string CountChanges = """
        () => {
            window.looks = {};
            window.observers = Jupyter.notebook.get_cells().map((cell, index) => {
                const looks = window.looks[index] = new Set();
                if (!cell.output_area) return null;
                const element = cell.output_area.element[0];
                const look = () => {
                    const html = element.innerHTML;
                    let hash = 0;
                    for (let i = 0; i < html.length; i++) hash = (hash * 31 + html.charCodeAt(i)) | 0;
                    looks.add(hash);
                };
                look();
                const observer = new MutationObserver(look);
                observer.observe(element, { childList: true, subtree: true, characterData: true });
                return observer;
            });
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("series-browser-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <param name="name">The notebook.</param>
    /// <param name="live">What the output that moves while its cell runs contains.</param>
    /// <param name="looks">
    /// How many different looks it must have had; a sweep of a few pictures may be over before its bar moves twice.
    /// </param>
    /// <param name="expected">What must be there at the end.</param>
    [Theory]
    [InlineData("02-train-a-lora.ipynb", "svg", 3, ".output .lab-grid img")]
    [InlineData("03-recontextualize.ipynb", ".lab-progress", 2, ".output .lab-grid img")]
    public async Task Notebook_ClickedThrough_MovesAndShowsItsPictures(string name, string live, int looks, string expected)
    {
        var path = Path.Combine(Golden.GoldenSet.RepositoryRoot, "notebooks", name);
        Assert.SkipUnless(File.Exists(path), "the notebook is not there yet");
        Assert.SkipUnless(NotebookServer.IsInstalled, NotebookServer.NotInstalled);
        var text = await File.ReadAllTextAsync(path);
        Assert.Contains("var preset = \\\"Standard\\\";", text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            Path.Combine(_folder, name),
            text.Replace("var preset = \\\"Standard\\\";", "var preset = \\\"Tiny\\\";", StringComparison.Ordinal));

        await using var server = NotebookServer.Start(_folder, "notebooks-in-a-browser");
        var page = await server.OpenAsync(name);
        await ClearAsync(page);
        await page.EvaluateAsync(CountChanges);
        await ClickThroughAsync(page);
        await server.ScreenshotAsync(page, Path.GetFileNameWithoutExtension(name));
        await LookAsync(page, live, looks, expected);
    }

    // The committed outputs would make everything look done before anything ran.
    private static async Task ClearAsync(IPage page)
    {
        await page.EvaluateAsync("() => Jupyter.notebook.clear_all_output()");
        Assert.Equal(0, await page.Locator(".output_subarea").CountAsync());
    }

    private static async Task ClickThroughAsync(IPage page)
    {
        await page.EvaluateAsync("() => Jupyter.notebook.select(0)");
        var cells = await page.EvaluateAsync<int>("() => Jupyter.notebook.get_cells().length");
        for (var i = 0; i < cells; i++)
        {
            await page.ClickAsync("button[data-jupyter-action='jupyter-notebook:run-cell-and-select-next']");
            await page.WaitForFunctionAsync(
                "i => { const cell = Jupyter.notebook.get_cell(i); return cell.cell_type !== 'code' || cell.get_text().trim() === '' || "
                + "(typeof cell.input_prompt_number === 'number' && !cell.element.hasClass('running')); }",
                i,
                new() { Timeout = 180_000 });
            Assert.True(await page.Locator(".output_error").CountAsync() == 0, await ErrorAsync(page));
        }

        // Output that is on its way, and pictures that the page still decodes.
        await page.WaitForTimeoutAsync(1000);
    }

    private static async Task LookAsync(IPage page, string live, int looks, string expected)
    {
        const string Moved =
            "live => Math.max(0, ...Jupyter.notebook.get_cells().map((cell, i) => cell.output_area && "
            + "cell.output_area.element.find(live).length ? window.looks[i].size : 0))";
        try
        {
            await page.WaitForFunctionAsync(
                $"([live, looks]) => ({Moved})(live) >= looks", new object[] { live, looks }, new() { Timeout = 30_000 });
        }
        catch (TimeoutException)
        {
            Assert.Fail($"the live output ({live}) had {await page.EvaluateAsync<int>(Moved, live)} looks only");
        }

        await page.WaitForFunctionAsync("expected => document.querySelectorAll(expected).length > 1", expected);
        // Pictures far from what is in view are loaded late on purpose; here they are all wanted now.
        var broken = await page.EvaluateAsync<string[]>("""
            async () => {
                const images = [...document.querySelectorAll('.output img')];
                images.forEach(i => i.loading = 'eager');
                const isThere = i => i.complete && i.naturalWidth > 0;
                for (let n = 0; n < 100 && !images.every(isThere); n++) await new Promise(r => setTimeout(r, 200));
                return images.filter(i => !isThere(i)).map(i => i.outerHTML.slice(0, 200));
            }
            """);
        Assert.Empty(broken);
    }

    private static async Task<string> ErrorAsync(IPage page) =>
        await page.Locator(".output_error").CountAsync() == 0 ? "" : await page.Locator(".output_error").First.InnerTextAsync();
}
