using System.Text.Json;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Kernel;
using Microsoft.Playwright;

namespace Dreambooth.Lab.Tests.Display;

/// <summary>A page of pictures used in headless Chromium, from a disk. Skipped where Debian's chromium is missing.</summary>
public sealed class SweepPageInABrowserTests
{
    private const string Odd = "a </script><img src=x onerror=\"window.hacked=1\"> & 'cat' ]]>";

    [Fact]
    public async Task Page_FilteredAndArranged_ShowsWhatIsAskedFor()
    {
        using var sample = new SweepPageSample([Odd, "a dog"]);
        await using var open = await Opened.Of(sample);
        var page = open.Page;

        Assert.Equal("8 pictures", await page.InnerTextAsync(".sweep-count"));
        Assert.Equal([Odd, "a dog"], await page.Locator(".sweep-row > h3").AllInnerTextsAsync());
        Assert.Equal(["guidance 1", "guidance 4"], (await page.Locator(".sweep-cell > h4").AllInnerTextsAsync()).Distinct());
        await page.Locator(".sweep-chip", new() { HasTextString = "a dog" }).ClickAsync();
        await page.Locator(".sweep-filter", new() { HasTextString = "guidance" }).Locator(".sweep-chip").First.ClickAsync();
        Assert.Equal("2 of 8 pictures", await page.InnerTextAsync(".sweep-count"));
        await page.SelectOptionAsync("[name=columns]", new SelectOptionValue { Label = "seed" });
        Assert.Equal(["seed 0", "seed 1"], await page.Locator(".sweep-cell > h4").AllInnerTextsAsync());

        await page.Locator(".sweep-open").First.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        Assert.Contains("001_prompt/img_00.png", await page.InnerTextAsync(".sweep-dialog"), StringComparison.Ordinal);
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("s");
        await page.Keyboard.PressAsync("Escape");
        Assert.Equal("1 selected", await page.InnerTextAsync(".sweep-selection > strong"));
        Assert.False(await page.EvaluateAsync<bool>("() => 'hacked' in window"));
        Assert.True(await page.EvaluateAsync<bool>("() => [...document.images].every(image => image.alt.length > 0)"));
        Assert.Empty(open.Errors);
    }

    [Fact]
    public async Task BlindComparison_ToTheEnd_HidesNamesAndSavesTheVotes()
    {
        using var sample = new SweepPageSample(["a cat", "a dog"]);
        await using var open = await Opened.Of(sample);
        var page = open.Page;

        await page.ClickAsync("[name=blind]");
        await page.ClickAsync("[name=begin]");
        Assert.DoesNotContain("guidance", await page.InnerTextAsync(".sweep-dialog"), StringComparison.Ordinal);
        await page.Keyboard.PressAsync("ArrowRight");
        await page.Keyboard.PressAsync("Backspace");
        foreach (var key in new[] { "ArrowLeft", "ArrowRight", "ArrowDown", "ArrowLeft" })
            await page.Keyboard.PressAsync(key);
        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("[name=save]"));

        using var saved = JsonDocument.Parse(await File.ReadAllTextAsync((await download.PathAsync())!));
        var result = saved.RootElement;
        var votes = result.GetProperty("votes").EnumerateArray().ToList();
        Assert.Equal(("guidance", "1", "4"), (Text(result, "axis"), Text(result, "a"), Text(result, "b")));
        Assert.Equal(["left", "right", "tie", "left"], votes.Select(vote => Text(vote, "choice")));
        foreach (var vote in votes)
        {
            // img_00 and img_01 have guidance 1, the a of the comparison.
            var preferred = Text(vote, "choice") == "tie" ? null : Text(vote, Text(vote, "choice")!);
            var isFirst = preferred?.EndsWith("0.png", StringComparison.Ordinal) == true
                || preferred?.EndsWith("1.png", StringComparison.Ordinal) == true;
            Assert.Equal(preferred is null ? "tie" : isFirst ? "a" : "b", Text(vote, "better"));
            Assert.Equal(Text(vote, "left")![..3], Text(vote, "right")![..3]);
        }

        foreach (var side in new[] { "a", "b", "tie" })
            Assert.Equal(votes.Count(vote => Text(vote, "better") == side), result.GetProperty("counts").GetProperty(side).GetInt32());
        Assert.Contains("guidance 1", await page.InnerTextAsync(".sweep-result"), StringComparison.Ordinal);
        Assert.Empty(open.Errors);
    }

    [Fact]
    public async Task ContactSheet_OfASelectionFromADisk_IsAPng()
    {
        using var sample = new SweepPageSample(["a cat"]);
        await using var open = await Opened.Of(sample);
        var page = open.Page;

        foreach (var box in (await page.Locator(".sweep-picture > input").AllAsync()).Take(3))
            await box.CheckAsync();
        await page.ClickAsync("[name=selectedSheet]");
        await page.WaitForSelectorAsync("[name=save]:not(:disabled)");
        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("[name=save]"));

        var sheet = ImageDecoder.Load((await download.PathAsync())!);
        Assert.Equal("cats-sheet.png", download.SuggestedFilename);
        Assert.Equal((2 * (200 + 16)) + 16, sheet.Width);
        Assert.True(sheet.Pixels.Distinct().Count() > 100, "its pictures are on it");
        Assert.Empty(open.Errors);
    }

    [Fact]
    public async Task Page_AtEveryWidth_StaysInTheWindow()
    {
        using var sample = new SweepPageSample([Odd, new string('x', 300)], guidances: 4, seeds: 1);
        await using var open = await Opened.Of(sample);

        foreach (var width in new[] { 400, 800, 1280, 1920 })
        {
            await open.Page.SetViewportSizeAsync(width, 900);
            await open.Page.ReloadAsync();
            Assert.False(await open.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth > innerWidth"), $"at {width}");
            await open.Page.Locator(".sweep-open").First.ClickAsync();
            Assert.False(
                await open.Page.EvaluateAsync<bool>(
                    "() => { const part = document.querySelector('dialog'); return part.scrollWidth > part.clientWidth; }"),
                $"enlarged at {width}");
        }
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private sealed class Opened(IPlaywright playwright, IBrowser browser, IPage page) : IAsyncDisposable
    {
        public IPage Page => page;

        public List<string> Errors { get; } = [];

        public static async Task<Opened> Of(SweepPageSample sample)
        {
            Assert.SkipUnless(File.Exists(NotebookServer.Chromium), "Debian's package chromium is not installed");
            var file = SweepPage.Write(sample.Folder, "cats")!;
            var playwright = await Playwright.CreateAsync();
            var browser = await playwright.Chromium.LaunchAsync(
                new() { ExecutablePath = NotebookServer.Chromium, Args = ["--no-sandbox"] });
            var opened = new Opened(playwright, browser, await browser.NewPageAsync(
                new() { ViewportSize = new() { Width = 1280, Height = 900 }, AcceptDownloads = true }));
            opened.Page.PageError += (_, error) => opened.Errors.Add(error);
            await opened.Page.GotoAsync(new Uri(file).AbsoluteUri);
            return opened;
        }

        public async ValueTask DisposeAsync()
        {
            await browser.DisposeAsync();
            playwright.Dispose();
        }
    }
}
