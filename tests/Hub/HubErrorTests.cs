using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Every way that the hub can refuse, as the one message that a user gets.</summary>
public sealed class HubErrorTests : HubTest
{
    private const string Name = "stabilityai/tiny";

    [Fact]
    public async Task Gated_NotLoggedIn_SaysLicencePageAndLogin()
    {
        Hub.Add(Name, PipelineFiles()).Gated = true;
        var error = await FailAsync(HubErrorKind.NotLoggedIn, () => DownloadAsync(Name));
        Assert.Equal(
            $"{Name} is gated and you are not logged in. Accept its licence at {Site}/{Name}, then make a token with read access at "
            + $"{Site}/settings/tokens and run `dotnet run -- hub login` (or set HF_TOKEN).", error.Message);
    }

    [Theory]
    [InlineData(false, "has not accepted the licence of stabilityai/tiny. Open ")]
    [InlineData(true, "is not answered yet by its authors")]
    public async Task Gated_LicenceNotAccepted_SaysThePageToOpen(bool awaits, string message)
    {
        var repo = Hub.Add(Name, PipelineFiles());
        (repo.Gated, repo.AwaitsReview) = (true, awaits);
        var error = await FailAsync(HubErrorKind.LicenceNotAccepted, () => DownloadAsync(Name, LoggedIn));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains($"{Site}/{Name}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_NotKnown_SaysWhereItComesFrom()
    {
        Hub.Add(Name, PipelineFiles());
        Hub.Accounts.Clear();
        var error = await FailAsync(
            HubErrorKind.TokenRefused, () => DownloadAsync(Name, Options with { Token = HubToken.Parse(Secret, "HF_TOKEN") }));
        Assert.Contains("does not know the token from HF_TOKEN", error.Message, StringComparison.Ordinal);
        Assert.Contains("unset the old HF_TOKEN", error.Message, StringComparison.Ordinal);
        using var client = Client(LoggedIn);
        await FailAsync(HubErrorKind.TokenRefused, () => client.WhoAmIAsync());
    }

    [Theory]
    [InlineData(false, "The hub has no model lab/none, or it is private.")]
    [InlineData(true, "or the account of your token (the argument) may not see it.")]
    public async Task Repo_NotThere_SaysSo(bool loggedIn, string message)
    {
        var error = await FailAsync(HubErrorKind.RepoNotFound, () => DownloadAsync("lab/none", loggedIn ? LoggedIn : null));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("models?search=none", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Repo_PrivateWithoutLogin_IsNotFound()
    {
        Hub.Add(Name, PipelineFiles()).Private = true;
        await FailAsync(HubErrorKind.RepoNotFound, () => DownloadAsync(Name));
        await DownloadAsync(Name, LoggedIn);
    }

    [Fact]
    public async Task Revision_NotThere_SaysWhereTheyAreListed()
    {
        Hub.Add(Name, PipelineFiles());
        var error = await FailAsync(
            HubErrorKind.RevisionNotFound,
            () => DownloadAsync(Name, request: new HubDownloadRequest(RepoId.Parse(Name)) { Revision = "fp16" }));
        Assert.Contains("has no branch, tag or commit 'fp16'", error.Message, StringComparison.Ordinal);
        await FailAsync(
            HubErrorKind.RevisionNotFound,
            () => DownloadAsync(
                Name, Options with { Offline = true }, new HubDownloadRequest(RepoId.Parse(Name)) { Revision = "../../x" }));
    }

    [Fact]
    public async Task Weights_OnlyPickles_AreRefusedBeforeAnyIsDownloaded()
    {
        Hub.Add(Name, [.. PipelineFiles().Where(file => !file.Path.StartsWith("text_encoder/model", StringComparison.Ordinal))]);
        var error = await FailAsync(HubErrorKind.NoSafetensors, () => DownloadAsync(Name));
        Assert.Contains(
            "text_encoder of stabilityai/tiny has no safetensors weights, only pytorch_model.bin", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Hub.Requests, request => request.Host == Hub.Store.Host);
    }

    [Fact]
    public async Task Weights_OnlyAsVariant_SaysWhichToAskFor()
    {
        Hub.Add(Name, [.. PipelineFiles().Where(file => file.Path != "text_encoder/model.safetensors")]);
        var error = await FailAsync(HubErrorKind.NoSafetensors, () => DownloadAsync(Name));
        Assert.Contains("has weights only as fp16: give --variant fp16.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pipeline_SingleFileRepo_NamesTheFile()
    {
        Hub.Add(Name, ("sd3.5_medium.safetensors", LocalContent.Of(100, 1)));
        var error = await FailAsync(
            HubErrorKind.FileNotFound,
            () => DownloadAsync(Name, request: new HubDownloadRequest(RepoId.Parse(Name)) { Content = HubContent.Pipeline }));
        Assert.Contains("has no model_index.json", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{Name}/sd3.5_medium.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disk_TooFull_IsSaidBeforeTheDownload()
    {
        Hub.Add(Name, PipelineFiles());
        var error = await FailAsync(HubErrorKind.DiskFull, () => DownloadAsync(Name, Options with { FreeBytes = _ => 70_000_000 }));
        Assert.Matches("needs [0-9.]+ MiB more in .* and 64.0 MiB to spare, where 66.8 MiB are free", error.Message);
        Assert.Contains(Options.CacheFolder, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Hub.Requests, request => request.Host == Hub.Store.Host);
    }

    [Fact]
    public async Task Disk_FullWhileWriting_SaysSo()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no /dev/full.");
        Hub.Add(Name, ("a.safetensors", LocalContent.Of(400_000, 3)));
        var blob = new HubCache(Options.CacheFolder).BlobOf(RepoId.Parse(Name), Hub.Repos[Name].Files["a.safetensors"].ETag);
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        File.CreateSymbolicLink(blob + ".incomplete", "/dev/full");
        var error = await FailAsync(HubErrorKind.DiskFull, () => DownloadAsync(Name));
        Assert.Contains("is full. Free some space and run again", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Network_NotReachable_SaysWhatIsCached()
    {
        Hub.Add("lab/here", ("a.json", LocalContent.Of("{}")));
        await DownloadAsync("lab/here");
        var nowhere = Options with { Endpoint = new Uri("http://127.0.0.1:9"), MaxRetries = 1 };
        var error = await FailAsync(HubErrorKind.Network, () => DownloadAsync(Name, nowhere));
        Assert.Contains("The hub at 127.0.0.1 cannot be reached: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("The cache holds lab/here (main); HF_HUB_OFFLINE=1 uses what is there", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Network_NotReachableButCached_UsesTheCacheAndSaysSo()
    {
        Hub.Add(Name, PipelineFiles());
        var first = await DownloadAsync(Name);
        var again = await DownloadAsync(Name, Options with { Endpoint = new Uri("http://127.0.0.1:9"), MaxRetries = 1 });
        Assert.Equal(first with { BytesDownloaded = 0, Files = [] }, again with { Files = [] });
        Assert.Contains($"The cached files of {Name}", Shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Offline_NotCached_SaysHowToGoOnline()
    {
        Hub.Add(Name, PipelineFiles());
        var offline = Options with { Offline = true };
        var error = await FailAsync(HubErrorKind.Offline, () => DownloadAsync(Name, offline));
        Assert.Contains("holds no model. Unset HF_HUB_OFFLINE", error.Message, StringComparison.Ordinal);
        await DownloadAsync(Name, request: new HubDownloadRequest(RepoId.Parse(Name)) { Include = ["model_index.json", "transformer/*"] });
        await FailAsync(HubErrorKind.Offline, () => DownloadAsync(Name, offline));
        await DownloadAsync(Name);
        var requests = Hub.Requests.Count;
        await DownloadAsync(Name, offline);
        Assert.Equal(requests, Hub.Requests.Count);
    }

    [Fact]
    public async Task RateLimit_ThatStays_SaysToWaitAndToLogIn()
    {
        Hub.Add(Name, PipelineFiles());
        Hub.Faults.Add(new LocalFault(_ => true, int.MaxValue) { Status = 429, RetryAfter = "0" });
        var error = await FailAsync(HubErrorKind.RateLimited, () => DownloadAsync(Name, Options with { MaxRetries = 2 }));
        Assert.Contains("kept doing so for 3 tries", error.Message, StringComparison.Ordinal);
        Assert.Contains("hub login", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_Failing_SaysThatItIsTheHub()
    {
        Hub.Add(Name, PipelineFiles());
        Hub.Faults.Add(new LocalFault(_ => true, int.MaxValue) { Status = 502 });
        var error = await FailAsync(HubErrorKind.Server, () => DownloadAsync(Name, Options with { MaxRetries = 2 }));
        Assert.Contains("answers 502 to stabilityai/tiny, 3 times", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_Damaged_NeverGetsItsName()
    {
        var content = LocalContent.Of(3_000_000, 5);
        Hub.Add(Name, ("a.safetensors", content));
        Hub.Faults.Add(LocalFault.OnStore(damage: true));
        var error = await FailAsync(HubErrorKind.Damaged, () => DownloadAsync(Name));
        Assert.Contains($"instead of {content.Sha256}", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(Options.CacheFolder, "models--stabilityai--tiny", "blobs")));
        Hub.Faults.Clear();
        AssertSame(content, Path.Combine((await DownloadAsync(Name)).Folder, "a.safetensors"));
    }

    [Fact]
    public async Task Content_SizeOfTheAnswerAlone_IsSaidBesideTheLists()
    {
        Hub.Add(Name, ("a.safetensors", LocalContent.Of(12_000, 5)));
        Hub.Faults.Add(
            new LocalFault(
                request => request.Path.Value!.EndsWith("/a.safetensors", StringComparison.Ordinal), int.MaxValue)
            { LinkedSize = 13_000 });
        var error = await FailAsync(HubErrorKind.Damaged, () => DownloadAsync(Name));
        Assert.Contains("the hub's answer gives it 13000 bytes, its list 12000", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("12000 bytes instead of 12000", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3000000\n")]
    [InlineData("<html>Log in to the airport's network</html>")]
    public async Task Content_PointerOrLoginPageInstead_IsRefused(string instead)
    {
        Hub.Add(Name, ("a.safetensors", LocalContent.Of(3_000_000, 5)), ("config.json", LocalContent.Of("{ }")));
        Hub.Faults.Add(
            new LocalFault(
                request => request.Path.Value!.EndsWith(Hub.Repos[Name].Files["a.safetensors"].ETag, StringComparison.Ordinal),
                int.MaxValue)
            {
                Instead = instead,
                IgnoreRange = true,
            });
        var error = await FailAsync(HubErrorKind.Damaged, () => DownloadAsync(Name));
        Assert.Contains(
            $"it has {instead.Length} bytes instead of 3000000; a large-file pointer, a proxy or a login page", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Api_LoginPageInstead_SaysSo()
    {
        Hub.Add("portal/x", ("login.html", LocalContent.Of("<html>Log in to the airport's network</html>")));
        Hub.Faults.Add(new LocalFault(request => request.Path.Value!.StartsWith("/api/", StringComparison.Ordinal), int.MaxValue)
        {
            Location = "/portal/x/resolve/main/login.html",
        });
        var error = await FailAsync(HubErrorKind.Refused, () => DownloadAsync(Name));
        Assert.Contains("does not answer as the hub does (no JSON)", error.Message, StringComparison.Ordinal);
        Assert.Contains("a login page of the network", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../../evil.safetensors")]
    [InlineData("a/../../evil.safetensors")]
    [InlineData("/tmp/evil.safetensors")]
    [InlineData("a\\..\\evil.safetensors")]
    [InlineData("C:evil.safetensors")]
    [InlineData("a//b.safetensors")]
    [InlineData("a/./b.safetensors")]
    [InlineData("a\nb.safetensors")]
    public async Task Name_ThatLeavesTheCache_IsRefused(string path)
    {
        Hub.Add(Name, (path, LocalContent.Of("evil")), ("fine.json", LocalContent.Of("{}")));
        await FailAsync(HubErrorKind.Unsafe, () => DownloadAsync(Name));
        Assert.Empty(Directory.EnumerateFiles(Folder, "*evil*", SearchOption.AllDirectories));
        Assert.DoesNotContain(Hub.Requests, request => request.Path.Contains("/resolve/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://127.0.0.1/x")]
    public async Task Redirect_ToAnotherKindOfAddress_IsRefused(string location)
    {
        Hub.Add(Name, ("a.safetensors", LocalContent.Of(300_000, 5)));
        Hub.Faults.Add(
            new LocalFault(
                request => request.Path.Value!.Contains("/resolve/", StringComparison.Ordinal), int.MaxValue)
            { Location = location });
        await FailAsync(HubErrorKind.Unsafe, () => DownloadAsync(Name));
    }

    [Fact]
    public async Task Redirect_InACircle_Ends()
    {
        Hub.Add(Name, ("a.json", LocalContent.Of("{}")));
        Hub.Faults.Add(
            new LocalFault(
                request => request.Path.Value!.Contains("/api/", StringComparison.Ordinal), int.MaxValue)
            { Location = "/api/models/x/y" });
        await FailAsync(HubErrorKind.Unsafe, () => DownloadAsync(Name, LoggedIn));
    }

    [Fact]
    public async Task Message_OfAServerThatRepeatsTheToken_HoldsNone()
    {
        Hub.Add(Name, ("a.json", LocalContent.Of("{}")));
        Hub.Faults.Add(
            new LocalFault(_ => true, int.MaxValue) { Status = 400, ErrorCode = "BadRequest", ErrorMessage = $"bad token {Secret} here" });
        var error = await FailAsync(HubErrorKind.Refused, () => DownloadAsync(Name, LoggedIn));
        Assert.Contains("bad token (token) here", error.Message, StringComparison.Ordinal);
    }

    private string Site => Hub.Endpoint.AbsoluteUri.TrimEnd('/');
}
