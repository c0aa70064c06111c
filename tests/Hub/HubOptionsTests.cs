using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

public sealed class HubOptionsTests
{
    private static readonly string Home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    [Fact]
    public void FromEnvironment_Nothing_IsWhatPythonUses()
    {
        var options = HubOptions.FromEnvironment(_ => null);
        Assert.Equal(new Uri("https://huggingface.co"), options.Endpoint);
        Assert.Equal(Path.Combine(Home, ".cache", "huggingface", "hub"), options.CacheFolder);
        Assert.Equal(Path.Combine(Home, ".cache", "huggingface", "token"), options.TokenPath);
        Assert.Equal((null, false), (options.Token, options.Offline));
    }

    [Theory]
    [InlineData("HF_HOME=/x", "/x/hub", "/x/token")]
    [InlineData("HF_HOME=~/h", "~/h/hub", "~/h/token")]
    [InlineData("XDG_CACHE_HOME=/c", "/c/huggingface/hub", "/c/huggingface/token")]
    [InlineData("HF_HUB_CACHE=/d;HF_HOME=/x", "/d", "/x/token")]
    [InlineData("HUGGINGFACE_HUB_CACHE=/e", "/e", "~/.cache/huggingface/token")]
    [InlineData("HF_TOKEN_PATH=/t/tok;HF_HOME=/x", "/x/hub", "/t/tok")]
    public void FromEnvironment_Folders_AreFound(string variables, string cache, string token)
    {
        var options = HubOptions.FromEnvironment(Variables(variables));
        Assert.Equal((Expand(cache), Expand(token)), (options.CacheFolder, options.TokenPath));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("YES", true)]
    [InlineData("0", false)]
    [InlineData("no", false)]
    public void FromEnvironment_Offline_IsRead(string value, bool offline) =>
        Assert.Equal(offline, HubOptions.FromEnvironment(Variables($"HF_HUB_OFFLINE={value}")).Offline);

    [Fact]
    public void FromEnvironment_Token_IsKeptAndShownNowhere()
    {
        var options = HubOptions.FromEnvironment(Variables($"HF_TOKEN= {HubTest.Secret} "));
        Assert.Equal((HubTest.Secret, "HF_TOKEN"), (options.Token!.Value, options.Token.Source));
        Assert.Equal("(token from HF_TOKEN)", options.Token.ToString());
        Assert.DoesNotContain("SecretOf", options.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("SecretOf", System.Text.Json.JsonSerializer.Serialize(options.Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HF_ENDPOINT=hub")]
    [InlineData("HF_ENDPOINT=ftp://hub")]
    [InlineData("HF_ENDPOINT=https://me:secret@hub")]
    public void FromEnvironment_WrongEndpoint_SaysWhatIsValid(string variables)
    {
        var error = Assert.Throws<LabException>(() => HubOptions.FromEnvironment(Variables(variables)));
        Assert.Contains("valid is one like https://huggingface.co", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_TokenWithLineBreakInside_IsRefusedWithoutRepeatingIt()
    {
        var error = Assert.Throws<LabException>(() => HubToken.Parse("hf_abc\r\nX-Evil: 1", "HF_TOKEN"));
        Assert.DoesNotContain("abc", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://huggingface.co", "https://huggingface.co/a/b", true)]
    [InlineData("https://huggingface.co", "https://HuggingFace.co/a", true)]
    [InlineData("https://huggingface.co", "http://huggingface.co/a", false)]
    [InlineData("https://huggingface.co", "https://huggingface.co:444/a", false)]
    [InlineData("https://huggingface.co", "https://cdn-lfs.huggingface.co/a", false)]
    [InlineData("https://huggingface.co", "https://huggingface.co.evil.org/a", false)]
    [InlineData("http://mirror.lan", "http://mirror.lan/a", false)]
    [InlineData("http://127.0.0.1:5000", "http://127.0.0.1:5000/a", true)]
    [InlineData("http://127.0.0.1:5000", "http://127.0.0.1:5001/a", false)]
    public void MaySeeToken_Address_OnlyTheHubItself(string endpoint, string address, bool may) =>
        Assert.Equal(may, (HubOptions.FromEnvironment(_ => null) with { Endpoint = new Uri(endpoint) }).MaySeeToken(new Uri(address)));

    [Theory]
    [InlineData("stabilityai/stable-diffusion-3.5-medium", true)]
    [InlineData("a/b", true)]
    [InlineData("a_b/c.d-e_f", true)]
    [InlineData("gpt2", false)]
    [InlineData("a/b/c", false)]
    [InlineData("a/b--c", false)]
    [InlineData("a/..", false)]
    [InlineData("../b", false)]
    [InlineData("a/b.git", false)]
    [InlineData("a/-b", false)]
    [InlineData("a/b c", false)]
    [InlineData("/a", false)]
    [InlineData("", false)]
    public void RepoId_Text_IsANameOrNot(string text, bool valid)
    {
        Assert.Equal(valid, RepoId.TryParse(text, out var repo));
        Assert.Equal(valid ? text : null, repo?.ToString());
        if (!valid)
            Assert.Contains("valid is owner/name", Assert.Throws<LabException>(() => RepoId.Parse(text)).Message, StringComparison.Ordinal);
    }

    private static Func<string, string?> Variables(string text)
    {
        var pairs = text.Split(';').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return name => pairs.GetValueOrDefault(name);
    }

    private static string Expand(string path) => path.Replace("~", Home, StringComparison.Ordinal);
}
