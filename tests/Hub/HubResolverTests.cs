using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

public sealed class HubResolverTests : HubTest
{
    [Theory]
    [InlineData("stabilityai/stable-diffusion-3.5-medium", "stabilityai/stable-diffusion-3.5-medium", null)]
    [InlineData("a/b/sd3.5_medium.safetensors", "a/b", "sd3.5_medium.safetensors")]
    [InlineData("a/b/text/x.safetensors", "a/b", "text/x.safetensors")]
    [InlineData("models", null, null)]
    [InlineData("./a/b", null, null)]
    [InlineData("../a", null, null)]
    [InlineData("~/a", null, null)]
    [InlineData("/a/b", null, null)]
    [InlineData("a/b/c", null, null)]
    [InlineData("a/b/../x.safetensors", null, null)]
    [InlineData("a\\b", null, null)]
    [InlineData("data/sd3.safetensors", null, null)]
    [InlineData("a/SD3.SafeTensors", null, null)]
    public void IsOnHub_Text_IsANameOrAPath(string text, string? name, string? file)
    {
        Assert.Equal(name is not null, HubResolver.IsOnHub(text, out var repo, out var one));
        Assert.Equal((name, file), (repo?.ToString(), one));
    }

    [Fact]
    public void Model_ExistingFolder_WinsOverTheHub()
    {
        Hub.Add("lab/model", PipelineFiles());
        var relative = Path.GetRelativePath(
            Directory.GetCurrentDirectory(), Directory.CreateDirectory(Path.Combine(Folder, "lab", "model")).FullName);
        Assert.Equal(relative, new HubResolver(Options).Model(relative));
        Assert.Equal("no/such/folder", new HubResolver(Options).Model("no/such/folder"));
        Assert.Empty(Hub.Requests);
    }

    [Fact]
    public void Resolve_NamesOnTheHub_GiveFoldersAndFiles()
    {
        var repo = Hub.Add("lab/model", PipelineFiles());
        Hub.Add(
            "lab/lora", ("pytorch_lora_weights.safetensors", LocalContent.Of(1000, 1)), ("README.md", LocalContent.Of("#")),
            ("checkpoint-500/optimizer.bin", LocalContent.Of("x")));
        var resolver = new HubResolver(Options, Show);
        var cache = new HubCache(Options.CacheFolder);
        Assert.Equal(cache.SnapshotOf(RepoId.Parse("lab/model"), repo.Head), resolver.Model("lab/model"));
        Assert.Equal(
            Path.Combine(cache.SnapshotOf(RepoId.Parse("lab/model"), repo.Head), "sd3.5_medium.safetensors"),
            resolver.Model("lab/model/sd3.5_medium.safetensors"));
        var lora = resolver.Lora("lab/lora");
        AssertSame(Hub.Repos["lab/lora"].Files["pytorch_lora_weights.safetensors"].Content, lora);
        Assert.Single(cache.FilesOf(RepoId.Parse("lab/lora"), Hub.Repos["lab/lora"].Head));
        Assert.Equal(lora, new HubResolver(Options with { Offline = true }).Lora("lab/lora"));
    }

    [Fact]
    public async Task Encoder_NameOnTheHub_IsAFolderWithWhatIsNeeded()
    {
        var repo = Hub.Add(
            "lab/clip", ("config.json", LocalContent.Of("{}")), ("preprocessor_config.json", LocalContent.Of("{ }")),
            ("merges.txt", LocalContent.Of("#")), ("model.safetensors", LocalContent.Of(1000, 1)),
            ("pytorch_model.bin", LocalContent.Of(1000, 2)), ("README.md", LocalContent.Of("# CLIP")));
        Hub.Add(
            "lab/dino", ("config.json", LocalContent.Of("{}")), ("preprocessor_config.json", LocalContent.Of("{ }")),
            ("pytorch_model.bin", LocalContent.Of(1000, 2)));
        var resolver = new HubResolver(Options, Show);
        var folder = resolver.Encoder("lab/clip");
        Assert.Equal(new HubCache(Options.CacheFolder).SnapshotOf(RepoId.Parse("lab/clip"), repo.Head), folder);
        Assert.Equal(
            ["config.json", "merges.txt", "model.safetensors", "preprocessor_config.json"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(folder, new HubResolver(Options with { Offline = true }).Encoder("lab/clip"));
        await FailAsync(HubErrorKind.NoSafetensors, () => Task.FromResult(resolver.Encoder("lab/dino")));
        Assert.Equal(Folder, resolver.Encoder(Folder));
    }

    [Fact]
    public void Model_SlipInAFolderThatIsHere_IsAPathAndAsksNobody()
    {
        var parent = Path.GetRelativePath(Directory.GetCurrentDirectory(), Folder);
        Assert.Equal(Path.Combine(parent, "sd3-mni"), new HubResolver(Options).Model(Path.Combine(parent, "sd3-mni")));
        var here = Directory.CreateDirectory("lab-data-of-the-resolver");
        try
        {
            Assert.False(HubResolver.IsOnHub("lab-data-of-the-resolver/sd3-mni", out _, out _));
            Assert.Equal("lab-data-of-the-resolver/sd3-mni", new HubResolver(Options).Model("lab-data-of-the-resolver/sd3-mni"));
        }
        finally
        {
            here.Delete();
        }

        Assert.Empty(Hub.Requests);
    }

    [Theory]
    [InlineData(503, HubErrorKind.Server)]
    [InlineData(429, HubErrorKind.RateLimited)]
    [InlineData(400, HubErrorKind.Refused)]
    public async Task Model_AnyErrorOfTheHub_SaysThatNoFolderIsHereEither(int status, HubErrorKind kind)
    {
        Hub.Faults.Add(new LocalFault(_ => true, int.MaxValue) { Status = status, RetryAfter = "0" });
        var error = await FailAsync(kind, () => Task.FromResult(new HubResolver(Options).Model("models/sd35m")));
        Assert.StartsWith(
            "There is no file or folder models/sd35m here, so it is taken for a name on the hub.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_NeitherHereNorOnTheHub_SaysBoth()
    {
        var error = await FailAsync(HubErrorKind.RepoNotFound, () => Task.FromResult(new HubResolver(Options).Model("models/sd35m")));
        Assert.StartsWith(
            "There is no file or folder models/sd35m here, so it is taken for a name on the hub. The hub has no model models/sd35m",
            error.Message, StringComparison.Ordinal);
    }
}
