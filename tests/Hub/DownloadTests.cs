using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Downloads that go well, and what they leave in the cache.</summary>
public sealed class DownloadTests : HubTest
{
    private const string Name = "stabilityai/tiny";

    [Fact]
    public async Task DownloadAsync_Pipeline_BringsOnlyWhatIsNeededInTheSharedLayout()
    {
        var repo = Hub.Add(Name, PipelineFiles());
        Hub.PageSize = 5;
        var snapshot = await DownloadAsync(Name);
        string[] expected =
        [
            "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json", "text_encoder/model.safetensors",
            "text_encoder_3/config.json",
            "text_encoder_3/model-00001-of-00002.safetensors", "text_encoder_3/model-00002-of-00002.safetensors",
            "text_encoder_3/model.safetensors.index.json",
            "tokenizer/merges.txt", "tokenizer/vocab.json", "transformer/config.json", "transformer/diffusion_pytorch_model.safetensors",
        ];
        Assert.Equal(expected, snapshot.Files.Order(StringComparer.Ordinal));
        var root = Path.Combine(Options.CacheFolder, "models--stabilityai--tiny");
        Assert.Equal(Path.Combine(root, "snapshots", repo.Head), snapshot.Folder);
        Assert.Equal(repo.Head, File.ReadAllText(Path.Combine(root, "refs", "main")));
        foreach (var file in expected)
        {
            AssertSame(repo.Files[file].Content, Path.Combine(snapshot.Folder, file));
            var link = new FileInfo(Path.Combine(snapshot.Folder, file)).LinkTarget;
            Assert.Equal(string.Concat(Enumerable.Repeat("../", 2 + file.Count(c => c == '/'))) + "blobs/" + repo.Files[file].ETag, link);
        }

        Assert.Equal(expected.Length, Directory.GetFiles(Path.Combine(root, "blobs")).Length);
        Assert.Equal(expected.Length, Directory.GetFiles(snapshot.Folder, "*", SearchOption.AllDirectories).Length);
        Assert.Equal(expected.Sum(file => repo.Files[file].Content.Size), snapshot.BytesDownloaded);
    }

    [Fact]
    public async Task DownloadAsync_Again_AsksForTheListAlone()
    {
        Hub.Add(Name, PipelineFiles());
        await DownloadAsync(Name);
        var sent = Hub.BytesSent;
        var snapshot = await DownloadAsync(Name);
        Assert.Equal((0, sent), (snapshot.BytesDownloaded, Hub.BytesSent));
        var requests = Hub.Requests.Count;
        await DownloadAsync(Name, request: new HubDownloadRequest(RepoId.Parse(Name)) { Revision = snapshot.Commit });
        Assert.Equal(requests, Hub.Requests.Count);
    }

    [Fact]
    public async Task DownloadAsync_Variant_TakesItWhereThereIsOne()
    {
        Hub.Add(Name, PipelineFiles());
        var snapshot = await DownloadAsync(Name, request: new HubDownloadRequest(RepoId.Parse(Name)) { Variant = "fp16" });
        Assert.Contains("text_encoder/model.fp16.safetensors", snapshot.Files);
        Assert.DoesNotContain("text_encoder/model.safetensors", snapshot.Files);
        Assert.Contains("text_encoder_3/model.fp16-00001-of-00001.safetensors", snapshot.Files);
        Assert.Contains("text_encoder_3/model.safetensors.index.fp16.json", snapshot.Files);
        Assert.DoesNotContain("text_encoder_3/model.safetensors.index.json", snapshot.Files);
        Assert.Contains($"transformer of {Name} has no variant fp16; its plain weights are used.", Shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DownloadAsync_NewCommit_BringsOnlyWhatChangedAndMovesTheBranchLast()
    {
        var repo = Hub.Add(Name, PipelineFiles());
        var first = await DownloadAsync(Name);
        repo.Commit(("transformer/diffusion_pytorch_model.safetensors", LocalContent.Of(4_000_000, 99)));
        Hub.Faults.Add(LocalFault.OnStore(status: 500, times: 100));
        await FailAsync(HubErrorKind.Server, () => DownloadAsync(Name, Options with { MaxRetries = 1 }));
        Assert.Equal(first.Commit, new HubCache(Options.CacheFolder).CommitOf(RepoId.Parse(Name), "main"));
        Hub.Faults.Clear();
        var second = await DownloadAsync(Name);
        Assert.Equal((repo.Head, 4_000_000), (second.Commit, second.BytesDownloaded));
        AssertSame(
            repo.Commits[first.Commit]["text_encoder/model.safetensors"].Content,
            Path.Combine(first.Folder, "text_encoder", "model.safetensors"));
    }

    [Fact]
    public async Task DownloadAsync_TagBranchWithSlashAndSubfolder_AreFound()
    {
        var repo = Hub.Add(Name, PipelineFiles());
        repo.Refs["refs/pr/1"] = repo.Head;
        var request = new HubDownloadRequest(RepoId.Parse(Name)) { Revision = "refs/pr/1", Subfolder = "transformer" };
        var snapshot = await DownloadAsync(Name, request: request);
        Assert.Equal(["config.json", "diffusion_pytorch_model.safetensors"], snapshot.Files.Order(StringComparer.Ordinal));
        Assert.True(File.Exists(Path.Combine(snapshot.Folder, "config.json")));
        Assert.Equal(
            repo.Head, File.ReadAllText(Path.Combine(Options.CacheFolder, "models--stabilityai--tiny", "refs", "refs", "pr", "1")));
    }

    [Fact]
    public async Task DownloadAsync_WithoutLinks_KeepsFilesThemselves()
    {
        var repo = Hub.Add(Name, PipelineFiles());
        var options = Options with { Symlinks = false };
        var snapshot = await DownloadAsync(Name, options);
        foreach (var file in snapshot.Files)
        {
            AssertSame(repo.Files[file].Content, Path.Combine(snapshot.Folder, file));
            Assert.Null(new FileInfo(Path.Combine(snapshot.Folder, file)).LinkTarget);
        }

        Assert.Equal(0, (await DownloadAsync(Name, options)).BytesDownloaded);
        Assert.Equal(0, (await DownloadAsync(Name, options with { Offline = true })).BytesDownloaded);
    }

    [Fact]
    public async Task DownloadAsync_PatternsAndSingleFile_BringThose()
    {
        Hub.Add(Name, PipelineFiles());
        var request = new HubDownloadRequest(RepoId.Parse(Name))
        {
            Include = ["*.json", "sd3.5_medium.safetensors"],
            Exclude = ["text_encoder*"],
        };
        var snapshot = await DownloadAsync(Name, request: request);
        Assert.Equal(
            ["model_index.json", "scheduler/scheduler_config.json", "sd3.5_medium.safetensors", "tokenizer/vocab.json",
                "transformer/config.json"], snapshot.Files.Order(StringComparer.Ordinal));
        var error = await FailAsync(
            HubErrorKind.FileNotFound, () => DownloadAsync(Name, request: request with { Include = ["sd3.5_mediun.safetensors"] }));
        Assert.Contains("Nearest: sd3.5_medium.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DownloadAsync_SameContentTwice_IsKeptOnce()
    {
        var content = LocalContent.Of(400_000, 5);
        Hub.Add(Name, ("a.safetensors", content), ("b/c.safetensors", content), ("empty.json", LocalContent.Of("")));
        var snapshot = await DownloadAsync(Name);
        Assert.Equal(400_000, snapshot.BytesDownloaded);
        AssertSame(content, Path.Combine(snapshot.Folder, "b", "c.safetensors"));
        Assert.Equal(
            0, new FileInfo(Path.Combine(snapshot.Folder, "empty.json")).ResolveLinkTarget(true) is FileInfo file ? file.Length : -1);
    }

    [Fact]
    public async Task DownloadAsync_TokenAndGatedRepo_TokenGoesToTheHubAlone()
    {
        var repo = Hub.Add(Name, PipelineFiles());
        repo.Gated = true;
        Hub.Accounts[Secret].Accepted.Add(Name);
        await DownloadAsync(Name, LoggedIn);
        Assert.All(
            Hub.Requests.Where(request => request.Host == Hub.Endpoint.Host),
            request => Assert.Equal($"Bearer {Secret}", request.Authorization));
        var stored = Hub.Requests.Where(request => request.Host == Hub.Store.Host).ToList();
        Assert.NotEmpty(stored);
        Assert.All(stored, request => Assert.Equal("", request.Authorization));
    }

    [Fact]
    public async Task DownloadAsync_LargeFile_ComesInPartsOverOneRedirect()
    {
        var content = LocalContent.Of(20_000_000, 3);
        Hub.Add(Name, ("big.safetensors", content));
        var snapshot = await DownloadAsync(Name);
        AssertSame(content, Path.Combine(snapshot.Folder, "big.safetensors"));
        Assert.Equal(1, Hub.Count("/resolve/"));
        Assert.Equal(20, Hub.Requests.Count(request => request.Host == Hub.Store.Host && request.Range.Length > 0));
    }

    [Fact]
    public async Task DownloadAsync_ProgressOfManyParts_EndsAtTheTotal()
    {
        Hub.Add(Name, PipelineFiles());
        var reports = new List<HubProgress>();
        using var client = Client();
        var snapshot = await client.DownloadAsync(new HubDownloadRequest(RepoId.Parse(Name)), new Collector(reports));
        var last = reports[^1];
        Assert.Equal((last.BytesTotal, 12, 12), (last.BytesDone, last.FilesDone, last.FilesTotal));
        Assert.True(snapshot.BytesDownloaded >= last.BytesTotal - 2000 && last.BytesPerSecond > 0, last.ToString());
        Assert.Contains("12 of 12 files", last.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task VerifyAsync_DamagedBlob_IsFoundRemovedAndComesAgain()
    {
        var repo = Hub.Add(Name, PipelineFiles());
        var snapshot = await DownloadAsync(Name);
        using var client = Client();
        Assert.Equal((12, 0, 0), Counts(await client.VerifyAsync(RepoId.Parse(Name))));
        var blob = client.Cache.BlobOf(RepoId.Parse(Name), repo.Files["text_encoder/model.safetensors"].ETag);
        using (var stream = File.OpenWrite(blob))
            stream.WriteByte(77);
        var found = await client.VerifyAsync(RepoId.Parse(Name), repair: true);
        Assert.Equal(["text_encoder/model.safetensors"], found.Damaged);
        Assert.Equal(300_000, (await DownloadAsync(Name)).BytesDownloaded);
        AssertSame(
            repo.Files["text_encoder/model.safetensors"].Content, Path.Combine(snapshot.Folder, "text_encoder", "model.safetensors"));
    }

    private static (int Verified, int Damaged, int Unknown) Counts(HubVerification found) =>
        (found.Verified.Count, found.Damaged.Count, found.Unknown.Count);

    private sealed class Collector(List<HubProgress> reports) : IProgress<HubProgress>
    {
        public void Report(HubProgress value)
        {
            lock (reports)
                reports.Add(value);
        }
    }
}
