using Microsoft.Playwright;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>
/// The classic Notebook in headless Chromium: open, run, look, interrupt, restart. Screenshots are kept in outputs/kernel.
/// Skipped where Debian's jupyter-notebook or chromium is missing.
/// </summary>
[Trait("Category", "Kernel")]
public sealed class BrowserTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("browser-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Notebook_OpenRunInterruptRestart_ShowsEverything()
    {
        Assert.SkipUnless(NotebookServer.IsInstalled, NotebookServer.NotInstalled);
        File.Copy(Path.Combine(KernelUnderTest.Fixtures, "parts", "browser.ipynb"), Path.Combine(_folder, "browser.ipynb"));
        await using var server = NotebookServer.Start(_folder, "kernel");
        var page = await server.OpenAsync("browser.ipynb");
        await RunAllAndLookAsync(page);
        await server.ScreenshotAsync(page, "1-run-all");
        await InterruptAsync(page);
        await server.ScreenshotAsync(page, "2-interrupted");
        await RestartAsync(page);
        await server.ScreenshotAsync(page, "3-restarted");
    }

    private static async Task RunAllAndLookAsync(IPage page)
    {
        await page.ClickAsync("#celllink");
        await page.ClickAsync("#run_all_cells");
        await page.WaitForSelectorAsync(".output >> text=endless");
        await page.WaitForSelectorAsync(".output >> text=live step 5 of 5");
        Assert.Equal(1, await page.Locator(".output >> text=plain text from C#").CountAsync());
        Assert.Equal(1, await page.Locator("td:has-text('lora-16')").First.CountAsync());
        Assert.Equal(8, await page.Locator("img.tile").CountAsync());
        Assert.True(await page.Locator(".output_png img").CountAsync() > 0);
        Assert.Equal(1, await page.Locator("#chart polyline").CountAsync());
        Assert.Equal(1, await page.Locator(".output #live").CountAsync());
        // Pictures are decoded after they are there.
        await page.WaitForFunctionAsync("() => document.querySelector('img.tile').naturalWidth === 96");
    }

    private static async Task InterruptAsync(IPage page)
    {
        await page.ClickAsync("#kernellink");
        await page.ClickAsync("#int_kernel");
        await page.WaitForSelectorAsync(".output >> text=variables keep their values");
        await page.EvaluateAsync("() => Jupyter.notebook.execute_cells([Jupyter.notebook.get_cells().length - 1])");
        await page.WaitForSelectorAsync(".output >> text=kept: True");
    }

    private static async Task RestartAsync(IPage page)
    {
        await page.EvaluateAsync(
            "() => { window.isReady = false; Jupyter.notebook.events.one('kernel_ready.Kernel', () => window.isReady = true); }");
        await page.ClickAsync("#kernellink");
        await page.ClickAsync("#restart_kernel");
        await page.ClickAsync(".modal-dialog .btn-danger");
        await page.WaitForFunctionAsync(
            "() => window.isReady && Jupyter.notebook.kernel.is_connected() && !document.querySelector('.modal.in')");
        await page.EvaluateAsync("() => Jupyter.notebook.execute_cells([Jupyter.notebook.get_cells().length - 1])");
        await page.WaitForSelectorAsync(".output >> text=The name 'rounds' does not exist");
    }
}
