using System.Net;
using System.Text;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>A hub that wants to fill memory or disk, or names files that no system should have.</summary>
public sealed class HostileHubTests : HubTest
{
    [Theory]
    [InlineData("[", "more than 32.0 MiB")]
    [InlineData(" ", "more than 32.0 MiB")]
    public async Task GetModel_EndlessAnswer_IsGivenUp(string text, string message)
    {
        Hub.Faults.Add(
            new LocalFault(_ => true, int.MaxValue)
            {
                Answer = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, 1 << 16))),
                Endless = true,
            });
        var error = await FailAsync(HubErrorKind.Refused, () => DownloadAsync("lab/model"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Single(Hub.Requests);
    }

    [Fact]
    public async Task GetModel_EndlessPages_AreGivenUp()
    {
        Hub.Add("lab/model", PipelineFiles());
        Hub.Faults.Add(
            new LocalFault(request => request.Path.Value!.Contains("/tree/", StringComparison.Ordinal), int.MaxValue)
            {
                Answer = "[]"u8.ToArray(),
                NextPage = Hub.Endpoint + "api/models/lab/model/tree/x?cursor=1",
            });
        Hub.Faults.Add(
            new LocalFault(request => request.Path.Value!.Contains("/tree/", StringComparison.Ordinal), int.MaxValue)
            {
                Answer = "[]"u8.ToArray(),
                NextPage = Hub.Endpoint + "api/models/lab/model/tree/x?cursor=1",
            });
        var error = await FailAsync(HubErrorKind.Refused, () => DownloadAsync("lab/model"));
        Assert.Contains("The hub's list of files of lab/model does not end: 1000 pages, 0 files.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        """[{"type": "file", "path": "a", "oid": "OID", "size": 9223372036854775807}]""",
        "[0].size is 9223372036854775807; valid is a whole number from 0 to 17592186044416.")]
    [InlineData("""[{"type": "file", "path": "a", "oid": "OID", "size": -1}]""", "[0].size is -1; valid is a whole number")]
    [InlineData("""[{"type": "file", "path": null, "oid": "OID", "size": 1}]""", "[0].path is null; valid is a text.")]
    [InlineData("""[{"type": "file", "path": "\ud800", "oid": "OID", "size": 1}]""", "[0].path: the text has half of a surrogate pair")]
    [InlineData("""[{"type": "file", "type": "file"}]""", "[0].type appears twice")]
    [InlineData("""[{"type": "file", "path": "a", "lfs": [], "size": 1}]""", "[0].lfs is []; valid is a JSON object.")]
    [InlineData("""{"files": 1}""", "; valid is a list.")]
    public async Task GetModel_WrongList_NamesTheField(string list, string message)
    {
        Hub.Add("lab/model", PipelineFiles());
        Hub.Faults.Add(
            new LocalFault(
                request => request.Path.Value!.Contains("/tree/", StringComparison.Ordinal),
                1)
            { Answer = Encoding.UTF8.GetBytes(list.Replace("OID", new string('a', 40), StringComparison.Ordinal)) });
        var error = await Assert.ThrowsAnyAsync<Lab.Foundation.LabException>(() => DownloadAsync("lab/model"));
        Assert.Contains("127.0.0.1 to /api/models/lab/model/tree/", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Options.CacheFolder));
    }

    [Theory]
    [InlineData("cat\u202egpj.safetensors", @"'cat\u202egpj.safetensors'")]
    [InlineData("nul.safetensors", "'nul.safetensors'")]
    [InlineData("COM1", "'COM1'")]
    [InlineData("a/Aux .txt", "'a/Aux .txt'")]
    [InlineData("lpt\u00b9.txt", "'lpt\u00b9.txt'")]
    [InlineData("a\u001b[2J.txt", @"'a\u001b[2J.txt'")]
    [InlineData("a\u2066b", @"'a\u2066b'")]
    public async Task Download_NameThatTurnsOrOpensADevice_IsRefused(string name, string shown)
    {
        Hub.Add("lab/model", (name, LocalContent.Of("x")));
        var error = await FailAsync(
            HubErrorKind.Unsafe,
            () => DownloadAsync("lab/model", request: new HubDownloadRequest(RepoId.Parse("lab/model")) { Content = HubContent.All }));
        Assert.Contains(shown, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("console.txt")]
    [InlineData("COM10.txt")]
    [InlineData("a.nul")]
    [InlineData("猫 😀.txt")]
    public async Task Download_NameThatOnlyLooksLikeADevice_IsTaken(string name)
    {
        Hub.Add("lab/model", (name, LocalContent.Of("x")));
        Assert.Equal(
            [name], (await DownloadAsync(
                "lab/model", request: new HubDownloadRequest(RepoId.Parse("lab/model")) { Content = HubContent.All })).Files);
    }

    [Fact]
    public async Task Download_FilesOfEqualContent_DoNotWaitForEachOther()
    {
        var same = LocalContent.Of(2_000_000, 5);
        Hub.Add("lab/model", [.. Enumerable.Range(0, 6).Select(i => ($"{i}.safetensors", same))]);
        var snapshot = await DownloadAsync(
            "lab/model", request: new HubDownloadRequest(RepoId.Parse("lab/model")) { Content = HubContent.All });
        Assert.Equal(6, snapshot.Files.Count);
        foreach (var file in snapshot.Files)
            AssertSame(same, Path.Combine(snapshot.Folder, file));
        Assert.DoesNotContain("Another program", Shown, StringComparison.Ordinal);
        Assert.Equal(2_000_000, Hub.BytesSent);
    }

    [Fact]
    public async Task Download_FileLargerThanTheWholeDisk_FreesWhatWasBegun()
    {
        var repo = Hub.Add("lab/model", ("a.safetensors", LocalContent.Of(3_000_000, 1)), ("b.safetensors", LocalContent.Of(1_000_000, 2)));
        var cache = new HubCache(Options.CacheFolder);
        string Begun(string file) => cache.BlobOf(RepoId.Parse("lab/model"), repo.Files[file].ETag) + ".incomplete";
        Directory.CreateDirectory(Path.GetDirectoryName(Begun("a.safetensors"))!);
        File.WriteAllBytes(Begun("a.safetensors"), new byte[500_000]);
        File.WriteAllBytes(Begun("b.safetensors"), new byte[500_000]);
        var small = Options with { FreeBytes = _ => 1_000_000, TotalBytes = _ => 2_000_000 };
        var error = await FailAsync(
            HubErrorKind.DiskFull,
            () => DownloadAsync("lab/model", small, new HubDownloadRequest(RepoId.Parse("lab/model")) { Content = HubContent.All }));
        Assert.Contains("lab/model needs 3.3 MiB more in", error.Message, StringComparison.Ordinal);
        Assert.Contains("and 64.0 MiB to spare, where 977 KiB are free", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Begun("a.safetensors")));
        Assert.True(File.Exists(Begun("b.safetensors")));
    }

    [Fact]
    public void PastLoopbackProxy_ThisMachine_IsAskedDirectly()
    {
        var proxy = new PastLoopbackProxy(new WebProxy("http://proxy.lan:3128"));
        Assert.True(proxy.IsBypassed(new Uri("http://127.0.0.1:5000/a")));
        Assert.Null(proxy.GetProxy(new Uri("http://localhost:5000/a")));
        Assert.Equal(new Uri("http://proxy.lan:3128"), proxy.GetProxy(new Uri("https://huggingface.co/a")));
    }

    [Fact]
    public async Task WhoAmI_ProxyForHttp_SeesNoToken()
    {
        var before = HttpClient.DefaultProxy;
        using var spy = new LocalHub();
        HttpClient.DefaultProxy = new WebProxy(spy.Endpoint);
        try
        {
            using var client = Client(LoggedIn);
            Assert.Equal("ada", (await client.WhoAmIAsync()).Name);
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.Empty(spy.Requests);
    }
}
