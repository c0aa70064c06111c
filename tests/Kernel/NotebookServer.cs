using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dreambooth.Lab.Kernel.Installation;
using Microsoft.Playwright;

namespace Dreambooth.Lab.Tests.Kernel;

/// <summary>Debian's classic Notebook, serving a folder with the kernel of this build, and headless Chromium to look at it.</summary>
internal sealed class NotebookServer : IAsyncDisposable
{
    /// <summary>Debian's browser.</summary>
    public const string Chromium = "/usr/bin/chromium";

    // Milliseconds; nothing here is about how quick a browser is.
    private const float Patience = 120_000;
    private readonly Process _server;
    private readonly string _address;
    private readonly string _pictures;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    private NotebookServer(Process server, string address, string pictures) => (_server, _address, _pictures) = (server, address, pictures);

    /// <summary>Whether both programs are there.</summary>
    public static bool IsInstalled => File.Exists("/usr/bin/jupyter-notebook") && File.Exists(Chromium);

    /// <summary>What a test that is skipped says.</summary>
    public static string NotInstalled => "Debian packages jupyter-notebook and chromium are not installed";

    /// <summary>Starts the server.</summary>
    /// <param name="folder">
    /// The folder with the notebooks, which name the kernel as `kernel install` does; kernels are installed into it.
    /// </param>
    /// <param name="pictures">The folder under outputs/ for screenshots.</param>
    public static NotebookServer Start(string folder, string pictures)
    {
        foreach (var name in new[] { ".net-csharp", "dreambooth-lab" })
            KernelSpecs.Install(Path.Combine(folder, "kernels"), name, "C# under test", KernelUnderTest.Launch);
        var port = FreePort();
        string[] arguments =
        [
            "--no-browser", "--allow-root", $"--port={port}", "--ip=127.0.0.1", "--NotebookApp.token=", "--NotebookApp.password=",
            "--NotebookApp.port_retries=0", $"--notebook-dir={folder}",
        ];
        var start = new ProcessStartInfo("/usr/bin/jupyter-notebook", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["JUPYTER_PATH"] = folder, ["PATH"] = "/usr/bin:" + Environment.GetEnvironmentVariable("PATH") },
        };
        var server = Process.Start(start)!;
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        var target = Directory.CreateDirectory(Path.Combine(Golden.GoldenSet.RepositoryRoot, "outputs", pictures)).FullName;
        return new NotebookServer(server, $"http://127.0.0.1:{port}/notebooks/", target);
    }

    /// <summary>Opens a notebook and waits for its kernel.</summary>
    public async Task<IPage> OpenAsync(string notebook)
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox"], Timeout = Patience });
        var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = 1100, Height = 1500 } });
        page.SetDefaultTimeout(Patience);
        // The server takes a moment to listen.
        for (var i = 0; ; i++)
        {
            try
            {
                await page.GotoAsync(_address + notebook);
                break;
            }
            catch (PlaywrightException) when (i < 240)
            {
                await Task.Delay(500);
            }
        }

        await page.WaitForFunctionAsync(
            "() => window.Jupyter && Jupyter.notebook && Jupyter.notebook._fully_loaded && Jupyter.notebook.kernel && "
            + "Jupyter.notebook.kernel.info_reply.status === 'ok'");
        return page;
    }

    /// <summary>Keeps a picture of the notebook, in pieces of at most 1,800 pixels height that lie below each other.</summary>
    /// <param name="page">The page.</param>
    /// <param name="name">The file's name without extension; pieces after the first get a number.</param>
    public async Task ScreenshotAsync(IPage page, string name)
    {
        const int Piece = 1800;
        // The notebook scrolls inside the page: make the page as high as its content.
        var height = await page.EvaluateAsync<int>("() => document.getElementById('notebook-container').offsetHeight + 200");
        height = Math.Clamp(height, 800, 16_000);
        await page.SetViewportSizeAsync(1100, height);
        // A rest of a few lines holds nothing but the margin.
        for (var (top, number) = (0, 1); top < height - 200; top += Piece, number++)
        {
            var clip = new Clip { X = 0, Y = top, Width = 1100, Height = Math.Min(Piece, height - top) };
            await page.ScreenshotAsync(
                new() { Path = Path.Combine(_pictures, number == 1 ? $"{name}.png" : $"{name}-{number}.png"), Clip = clip });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        _server.Kill(entireProcessTree: true);
        // A server that still ends may write into the folder that the test removes next.
        _server.WaitForExit(10_000);
        _server.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
