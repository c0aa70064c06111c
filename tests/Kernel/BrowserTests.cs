using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dreambooth.Lab.Kernel.Installation;
using Microsoft.Playwright;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>
/// The classic Notebook in headless Chromium: open, run, look, interrupt, restart. Screenshots are kept in outputs/kernel.
/// Skipped where Debian's jupyter-notebook or chromium is missing.
/// </summary>
[Trait("Category", "Kernel")]
public sealed class BrowserTests : IDisposable
{
    private const string Name = "kernel-under-test";
    private const string Chromium = "/usr/bin/chromium";
    private readonly string _folder = Directory.CreateTempSubdirectory("browser-").FullName;
    private readonly string _pictures = Directory.CreateDirectory(Path.Combine(Golden.GoldenSet.RepositoryRoot, "outputs", "kernel")).FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task Notebook_OpenRunInterruptRestart_ShowsEverything()
    {
        Skip.IfNot(File.Exists("/usr/bin/jupyter-notebook") && File.Exists(Chromium), "Debian packages jupyter-notebook and chromium are not installed");
        var port = FreePort();
        using var server = StartServer(port);
        try
        {
            using var playwright = await Playwright.CreateAsync();
            await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox"] });
            var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1100, Height = 1500 } });
            page.SetDefaultTimeout(60_000);
            await OpenAsync(page, $"http://127.0.0.1:{port}/notebooks/browser.ipynb");
            await RunAllAndLookAsync(page);
            await InterruptAsync(page);
            await RestartAsync(page);
        }
        finally
        {
            server.Kill(entireProcessTree: true);
        }
    }

    private static async Task OpenAsync(IPage page, string address)
    {
        // The server takes a moment to listen.
        for (var i = 0; ; i++)
        {
            try
            {
                await page.GotoAsync(address);
                break;
            }
            catch (PlaywrightException) when (i < 60)
            {
                await Task.Delay(500);
            }
        }

        await page.WaitForFunctionAsync("() => window.Jupyter && Jupyter.notebook && Jupyter.notebook._fully_loaded && Jupyter.notebook.kernel && Jupyter.notebook.kernel.info_reply.status === 'ok'");
    }

    private async Task RunAllAndLookAsync(IPage page)
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
        Assert.Equal(96, await page.Locator("img.tile").First.EvaluateAsync<int>("i => i.naturalWidth"));
        await ScreenshotAsync(page, "1-run-all");
    }

    private async Task InterruptAsync(IPage page)
    {
        await page.ClickAsync("#kernellink");
        await page.ClickAsync("#int_kernel");
        await page.WaitForSelectorAsync(".output >> text=variables keep their values");
        await page.EvaluateAsync("() => Jupyter.notebook.execute_cells([Jupyter.notebook.get_cells().length - 1])");
        await page.WaitForSelectorAsync(".output >> text=kept: True");
        await ScreenshotAsync(page, "2-interrupted");
    }

    private async Task RestartAsync(IPage page)
    {
        await page.ClickAsync("#kernellink");
        await page.ClickAsync("#restart_kernel");
        await page.ClickAsync(".modal-dialog .btn-danger");
        await page.WaitForFunctionAsync("() => Jupyter.notebook.kernel && Jupyter.notebook.kernel.is_connected() && !document.querySelector('.modal.in')");
        await page.EvaluateAsync("() => Jupyter.notebook.execute_cells([Jupyter.notebook.get_cells().length - 1])");
        await page.WaitForSelectorAsync(".output >> text=The name 'rounds' does not exist");
        await ScreenshotAsync(page, "3-restarted");
    }

    private async Task ScreenshotAsync(IPage page, string name)
    {
        // The notebook scrolls inside the page: make the page as high as its content.
        var height = await page.EvaluateAsync<int>("() => document.getElementById('notebook-container').offsetHeight + 200");
        await page.SetViewportSizeAsync(1100, Math.Clamp(height, 800, 4000));
        await page.ScreenshotAsync(new() { Path = Path.Combine(_pictures, name + ".png") });
    }

    private Process StartServer(int port)
    {
        KernelSpecs.Install(Path.Combine(_folder, "kernels"), Name, "C# under test", KernelUnderTest.Launch);
        var text = File.ReadAllText(Path.Combine(KernelUnderTest.Fixtures, "parts", "browser.ipynb"));
        File.WriteAllText(Path.Combine(_folder, "browser.ipynb"), text.Replace("\".net-csharp\"", $"\"{Name}\"", StringComparison.Ordinal));
        string[] arguments =
        [
            "--no-browser", "--allow-root", $"--port={port}", "--ip=127.0.0.1", "--NotebookApp.token=", "--NotebookApp.password=",
            "--NotebookApp.port_retries=0", $"--notebook-dir={_folder}",
        ];
        var start = new ProcessStartInfo("/usr/bin/jupyter-notebook", arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["JUPYTER_PATH"] = _folder, ["PATH"] = "/usr/bin:" + Environment.GetEnvironmentVariable("PATH") },
        };
        var server = Process.Start(start)!;
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        return server;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
