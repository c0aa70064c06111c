using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>
/// A cache as huggingface_hub leaves it: blobs named by content, links, refs without a line's end, locks, what does not exist.
/// </summary>
public sealed class HubCacheTests : HubTest
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private static readonly RepoId Repo = RepoId.Parse("stabilityai/stable-diffusion-3.5-medium");

    [Fact]
    public async Task DownloadAsync_CacheOfPython_IsUsedWithoutARequest()
    {
        var files = LayOutAsPythonDoes();
        foreach (var options in new[] { Options with { Offline = true },
            Options with { Endpoint = new Uri("http://127.0.0.1:9"), MaxRetries = 1 } })
        {
            var snapshot = await DownloadAsync(Repo.ToString(), options);
            Assert.Equal((Commit, 0L), (snapshot.Commit, snapshot.BytesDownloaded));
            Assert.All(snapshot.Files, file => AssertSame(files[file].Content, Path.Combine(snapshot.Folder, file)));
        }

        var exact = await DownloadAsync(Repo.ToString(), request: new HubDownloadRequest(Repo) { Revision = Commit });
        Assert.Equal(0, exact.BytesDownloaded);
        Assert.Empty(Hub.Requests);
    }

    [Fact]
    public async Task DownloadAsync_CacheOfPythonOnline_AsksForTheListAndDownloadsNothing()
    {
        var files = LayOutAsPythonDoes();
        var repo = new LocalRepo(Repo.ToString());
        repo.Commits[Commit] = files;
        repo.Refs["main"] = Commit;
        Hub.Repos[repo.Id] = repo;
        var snapshot = await DownloadAsync(repo.Id);
        Assert.Equal((0L, 0L, 2), (snapshot.BytesDownloaded, Hub.BytesSent, Hub.Requests.Count));
    }

    [Fact]
    public async Task DownloadAsync_BrokenLink_IsNotTakenForAFile()
    {
        var files = LayOutAsPythonDoes();
        File.Delete(new HubCache(Options.CacheFolder).BlobOf(Repo, files["transformer/diffusion_pytorch_model.safetensors"].ETag));
        await FailAsync(HubErrorKind.Offline, () => DownloadAsync(Repo.ToString(), Options with { Offline = true }));
        var repo = new LocalRepo(Repo.ToString());
        repo.Commits[Commit] = files;
        repo.Refs["main"] = Commit;
        Hub.Repos[repo.Id] = repo;
        var snapshot = await DownloadAsync(repo.Id);
        Assert.Equal(files["transformer/diffusion_pytorch_model.safetensors"].Content.Size, snapshot.BytesDownloaded);
    }

    [Fact]
    public void List_CacheOfPython_SaysReposRevisionsAndSizes()
    {
        var files = LayOutAsPythonDoes();
        File.WriteAllBytes(new HubCache(Options.CacheFolder).BlobOf(Repo, new string('f', 64)) + ".incomplete", new byte[1000]);
        var repo = Assert.Single(new HubCache(Options.CacheFolder).List());
        Assert.Equal((Repo, files.Values.Sum(file => file.Content.Size), 1000L), (repo.Repo, repo.Bytes, repo.IncompleteBytes));
        var (commit, names) = Assert.Single(repo.Revisions);
        Assert.Equal((Commit, "main"), (commit, Assert.Single(names)));
    }

    [Fact]
    public void List_NoCache_IsEmpty() => Assert.Empty(new HubCache(Path.Combine(Folder, "none")).List());

    [Fact]
    public void Link_OverABrokenLink_MakesItAnew()
    {
        var cache = new HubCache(Options.CacheFolder);
        var file = new HubFile("a/b.json", 2, new string('1', 40));
        Directory.CreateDirectory(Path.GetDirectoryName(cache.BlobOf(Repo, file.ETag))!);
        Directory.CreateDirectory(Path.Combine(cache.SnapshotOf(Repo, Commit), "a"));
        File.CreateSymbolicLink(Path.Combine(cache.SnapshotOf(Repo, Commit), "a", "b.json"), "../nowhere");
        Assert.False(cache.Has(Repo, Commit, "a/b.json"));
        File.WriteAllText(cache.BlobOf(Repo, file.ETag), "{}");
        cache.Link(Repo, Commit, file, isNew: true);
        Assert.True(cache.Has(Repo, Commit, "a/b.json"));
        Assert.Equal(["a/b.json"], cache.FilesOf(Repo, Commit));
    }

    /// <summary>
    /// The same steps as huggingface_hub's: content under its name, a relative link, the branch's commit without a line's end.
    /// </summary>
    private Dictionary<string, LocalFile> LayOutAsPythonDoes()
    {
        var repo = new LocalRepo(Repo.ToString()).Commit(PipelineFiles());
        string[] needed =
            ["model_index.json", "scheduler/", "text_encoder/config", "text_encoder/model.saf", "text_encoder_3/config",
                "text_encoder_3/model-", "text_encoder_3/model.safetensors.index.json", "tokenizer/", "transformer/"];
        var files = repo.Files.Where(file => needed.Any(start => file.Key.StartsWith(start, StringComparison.Ordinal))).ToDictionary();
        var root = Path.Combine(Options.CacheFolder, "models--stabilityai--stable-diffusion-3.5-medium");
        foreach (var folder in new[] { "blobs", "refs", $".no_exist/{Commit}/transformer" })
            Directory.CreateDirectory(Path.Combine(root, folder));
        Directory.CreateDirectory(Path.Combine(Options.CacheFolder, ".locks", Path.GetFileName(root)));
        File.WriteAllText(Path.Combine(Options.CacheFolder, "version.txt"), "1");
        File.WriteAllText(Path.Combine(root, "refs", "main"), Commit);
        File.WriteAllText(Path.Combine(root, ".no_exist", Commit, "transformer", "model.safetensors"), "");
        foreach (var (path, file) in files)
        {
            var bytes = new byte[file.Content.Size];
            file.Content.Read(0, bytes);
            File.WriteAllBytes(Path.Combine(root, "blobs", file.ETag), bytes);
            File.WriteAllText(Path.Combine(Options.CacheFolder, ".locks", Path.GetFileName(root), $"{file.ETag}.lock"), "");
            var link = Path.Combine(root, "snapshots", Commit, path);
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, Path.Combine(root, "blobs", file.ETag)));
        }

        return files;
    }
}
