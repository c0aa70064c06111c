using System.Text.Json;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Display;

public sealed partial class SweepPageTests
{
    [Fact]
    public void Write_PicturesOfAGuidanceSweep_NamesWhatVariesAndWhatDoesNot()
    {
        using var sample = new SweepPageSample(["a cat", "a dog"]);

        var data = DataOf(SweepPage.Write(sample.Folder, "Cats")!);

        Assert.Equal("Cats", data.GetProperty("title").GetString());
        Assert.Equal(8, data.GetProperty("pictures").GetArrayLength());
        Assert.Equal(
            ["prompt: a cat|a dog", "guidance: 1|4", "seed: 0|1"],
            data.GetProperty("fields").EnumerateArray().Where(field => field.GetProperty("isAxis").GetBoolean()).Select(Text));
        Assert.Contains("model: sd3-mini", data.GetProperty("shared").EnumerateArray().Select(entry => $"{entry[0]}: {entry[1]}"));
    }

    [Fact]
    public void Write_Again_KeepsThumbnailsAndFollowsTheFolder()
    {
        using var sample = new SweepPageSample(["a cat"]);
        SweepPage.Write(sample.Folder);
        var thumbnails = Path.Combine(sample.Folder, PromptFolders.Thumbnails);
        var made = Directory.GetFiles(thumbnails, "*.jpg").ToDictionary(file => file, File.GetLastWriteTimeUtc);

        File.Delete(Path.Combine(sample.Folder, "000_prompt/img_01.png"));
        sample.Add("000_prompt/img_09.png", "a cat", 9, 0, photo: 20);
        File.WriteAllText(Path.Combine(sample.Folder, "000_prompt/img_10.png"), "no picture");
        var data = DataOf(SweepPage.Write(sample.Folder)!);

        Assert.Equal(
            ["000_prompt/img_00.png", "000_prompt/img_02.png", "000_prompt/img_03.png", "000_prompt/img_09.png"],
            data.GetProperty("pictures").EnumerateArray().Select(picture => picture.GetProperty("path").GetString()));
        var now = Directory.GetFiles(thumbnails, "*.jpg");
        Assert.Equal(4, now.Length);
        Assert.Equal(3, now.Count(file => made.TryGetValue(file, out var time) && File.GetLastWriteTimeUtc(file) == time));
        Assert.Equal(4, Regex.Count(File.ReadAllText(Path.Combine(thumbnails, "sheet.js")), "\\.jpg"));
    }

    [Fact]
    public void Write_AUsersOwnPage_StaysAndIsTold()
    {
        using var sample = new SweepPageSample(["a cat"]);
        var page = Path.Combine(sample.Folder, SweepPage.FileName);
        File.WriteAllText(page, "<h1>mine</h1>");
        var told = new List<string>();

        Assert.Null(SweepPage.Write(sample.Folder, warn: told.Add));

        Assert.Equal("<h1>mine</h1>", File.ReadAllText(page));
        Assert.Contains("it stays", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_AllPicturesDeleted_TakesThePageAway()
    {
        using var sample = new SweepPageSample(["a cat"]);
        var page = SweepPage.Write(sample.Folder)!;
        Directory.Delete(Path.Combine(sample.Folder, "000_prompt"), recursive: true);

        Assert.Null(SweepPage.Write(sample.Folder));

        Assert.False(File.Exists(page));
    }

    private static string Text(JsonElement field) =>
        $"{field.GetProperty("label")}: {string.Join('|', field.GetProperty("values").EnumerateArray())}";

    private static JsonElement DataOf(string page) =>
        JsonDocument.Parse(Data().Match(File.ReadAllText(page)).Groups[1].Value).RootElement;

    [GeneratedRegex("id=\"sweep-data\">(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Data();
}
