using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Datasets of pictures from the hub.</summary>
public sealed class DatasetTests : HubTest
{
    private const string Name = "datasets/lab/photos";

    private static LocalContent Picture(int seed) => LocalContent.Of(ImageEncoder.EncodePng(PictureSamples.Draw(60, 48, seed)));

    [Fact]
    public void Dataset_NameOnTheHub_IsTheFolderOfItsPictures()
    {
        var repo = Hub.Add(
            Name, ("README.md", LocalContent.Of("# Photos")), ("train/a.png", Picture(1)), ("train/b.png", Picture(2)),
            ("train/metadata.csv", LocalContent.Of("file_name,prompt\na.png,\"a cat, asleep\"\nb.png,a cat\n")),
            ("test/c.png", Picture(3)));
        var resolver = new HubResolver(LoggedIn, Show);
        var folder = resolver.Dataset("lab/photos", null);
        Assert.Equal(
            Path.Combine(Options.CacheFolder, "datasets--lab--photos", "snapshots", repo.Head, "train"), folder);
        Assert.Equal(["a.png", "b.png", "metadata.csv"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        AssertSame(repo.Files["train/b.png"].Content, Path.Combine(folder, "b.png"));
        Assert.Equal(0, Hub.Count("test/c.png") + Hub.Count("api/models"));

        // The same again costs no download, and offline nothing at all.
        var before = Hub.Count("/resolve/");
        Assert.Equal(folder, resolver.Dataset("lab/photos", null));
        Assert.Equal(before, Hub.Count("/resolve/"));
        var asked = Hub.Requests.Count;
        Assert.Equal(folder, new HubResolver(Options with { Offline = true }).Dataset("lab/photos", null));
        Assert.Equal(asked, Hub.Requests.Count);
        var cached = Assert.Single(new HubCache(Options.CacheFolder).List());
        Assert.Equal((Name, true), (cached.Repo.ToString(), cached.Repo.IsDataset));
    }

    [Fact]
    public void Dataset_CommitOfOld_IsDownloadedAgain()
    {
        var repo = Hub.Add(Name, ("a.png", Picture(1)));
        var first = repo.Head;
        repo.Commit([("a.png", Picture(2))]);
        var folder = new HubResolver(Options, Show).Dataset("lab/photos", null, first);
        Assert.EndsWith(first, folder, StringComparison.Ordinal);
        AssertSame(Picture(1), Path.Combine(folder, "a.png"));
    }

    [Fact]
    public async Task Dataset_NotThereOrNotOfPictures_SaysSo()
    {
        Hub.Add("lab/photos", ("a.png", Picture(1)));
        Hub.Add("datasets/lab/table", ("data/train-00000-of-00001.parquet", LocalContent.Of(1000, 1)));
        var resolver = new HubResolver(Options, Show);
        Task<string> Find(string name, HubResolver? other = null) => Task.FromResult((other ?? resolver).Dataset(name, null));
        var missing = await FailAsync(HubErrorKind.RepoNotFound, () => Find("lab/photos"));
        Assert.Contains("The hub has no dataset lab/photos, or it is private", missing.Message, StringComparison.Ordinal);
        Assert.Contains("/datasets?search=photos", missing.Message, StringComparison.Ordinal);
        var packed = await FailAsync(HubErrorKind.FileNotFound, () => Find("lab/table"));
        Assert.Contains("datasets/lab/table holds no pictures as files", packed.Message, StringComparison.Ordinal);
        Assert.Equal(0, Hub.Count(".parquet"));
        await FailAsync(HubErrorKind.RepoNotFound, () => Find("no such folder"));
        await FailAsync(HubErrorKind.Offline, () => Find("lab/table", new HubResolver(Options with { Offline = true })));
        using var client = Client(LoggedIn);
        await FailAsync(
            HubErrorKind.Refused, () => client.UploadAsync(new HubUploadRequest(RepoId.Parse(Name), [], "x")));
    }

    [Theory]
    [InlineData("datasets/lab/photos", true)]
    [InlineData("datasets/lab", false)]
    [InlineData("datasets/lab/../x", null)]
    [InlineData("datasets/lab/a/b", null)]
    public void TryParse_DatasetsName_IsOne(string text, bool? isDataset)
    {
        Assert.Equal(isDataset, RepoId.TryParse(text, out var repo) ? repo.IsDataset : null);
        Assert.Equal(repo, repo is null ? null : RepoId.TryParseFolder(repo.FolderName, out var back) ? back : null);
    }
}
