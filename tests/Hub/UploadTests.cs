using System.Security.Cryptography;
using System.Text;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Commits over HTTP and the large-file protocol.</summary>
public sealed class UploadTests : HubTest
{
    private static readonly RepoId Mine = RepoId.Parse("ada/cat-lora");

    [Theory]
    [InlineData(null)]
    [InlineData(100_000)]
    public async Task UploadAsync_NewRepo_MakesItStoresLargeFilesAndCommits(int? partBytes)
    {
        Hub.UploadPartBytes = partBytes;
        var (lora, bytes) = Lora(350_000);
        using var client = Client(LoggedIn);
        var commit = await client.UploadAsync(
            new HubUploadRequest(
                Mine, [HubUploadFile.FromFile("pytorch_lora_weights.safetensors", lora), HubUploadFile.FromText("README.md", "# Ä cat")],
                "First"));
        Assert.Equal(new Uri(Hub.Endpoint, "/ada/cat-lora"), commit.Page);
        Assert.Equal(Hub.Repos["ada/cat-lora"].Head, commit.Commit);
        var oid = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Assert.Equal(bytes, Hub.Uploaded[oid]);
        Assert.Equal([oid], Hub.Checked);
        Assert.Equal(["header", "lfsFile", "file"], Hub.LastCommit.Select(line => line["key"]!.GetValue<string>()));
        Assert.Equal("First", Hub.LastCommit[0]["value"]!["summary"]!.GetValue<string>());

        var snapshot = await DownloadAsync("ada/cat-lora");
        Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(snapshot.Folder, "pytorch_lora_weights.safetensors")));
        Assert.Equal("# Ä cat", File.ReadAllText(Path.Combine(snapshot.Folder, "README.md")));
    }

    [Fact]
    public async Task UploadAsync_Again_SendsKnownContentNotTwice()
    {
        var (lora, _) = Lora(50_000);
        using var client = Client(LoggedIn);
        var request = new HubUploadRequest(Mine, [HubUploadFile.FromFile("pytorch_lora_weights.safetensors", lora)], "First");
        await client.UploadAsync(request);
        await client.UploadAsync(request with { Message = "Second" });
        Assert.Equal(1, Hub.Requests.Count(one => one.Method == "PUT"));
        Assert.Equal("Second", Hub.LastCommit[0]["value"]!["summary"]!.GetValue<string>());
    }

    [Fact]
    public async Task UploadAsync_OrganisationPrivateAndFaults_Works()
    {
        Hub.Faults.Add(new LocalFault(request => request.Method == "PUT", 2) { Status = 503 });
        Hub.Faults.Add(new LocalFault(request => request.Method == "POST", 1) { Status = 429, RetryAfter = "0" });
        var (lora, bytes) = Lora(50_000);
        using var client = Client(LoggedIn);
        await client.UploadAsync(
            new HubUploadRequest(RepoId.Parse("lab/cat"), [HubUploadFile.FromFile("a.safetensors", lora)], "x") { IsPrivate = true });
        Assert.True(Hub.Repos["lab/cat"].Private);
        Assert.Equal(bytes, Hub.Uploaded.Values.Single());
    }

    [Fact]
    public async Task UploadAsync_ReadTokenOrNone_SaysWhatIsNeeded()
    {
        var request = new HubUploadRequest(Mine, [HubUploadFile.FromText("README.md", "x")], "x");
        using var reader = Client(Options with { Token = HubToken.Parse(ReaderSecret) });
        var error = await FailAsync(HubErrorKind.Forbidden, () => reader.UploadAsync(request));
        Assert.Contains("may not write to ada/cat-lora", error.Message, StringComparison.Ordinal);
        Assert.Contains("write access", error.Message, StringComparison.Ordinal);
        using var nobody = Client();
        await FailAsync(HubErrorKind.NotLoggedIn, () => nobody.UploadAsync(request));
        Assert.Empty(Hub.Repos);
    }

    [Fact]
    public void ToMarkdown_AllEntries_StandInTheHeaderAsTheReferencesCardHasThem()
    {
        var card = new LoraCard(Mine, "a photo of \"gmc\" cat: yes")
        {
            BaseModel = "stabilityai/stable-diffusion-3.5-medium",
            ValidationPrompt = "a photo of gmc cat in the snow",
            TrainTextEncoder = true,
            Pictures = ["image_0.png"],
            Settings = [("rank", "4"), ("lora_layers", "a|b")],
        };
        var text = card.ToMarkdown();
        var header = text.Split("---\n")[1];
        Assert.Equal(
            """
            base_model: stabilityai/stable-diffusion-3.5-medium
            library_name: diffusers
            license: other
            license_link: https://huggingface.co/stabilityai/stable-diffusion-3.5-medium/blob/main/LICENSE.md
            instance_prompt: "a photo of \"gmc\" cat: yes"
            widget:
            - text: "a photo of gmc cat in the snow"
              output:
                url: "image_0.png"
            tags:
            - text-to-image
            - diffusers-training
            - diffusers
            - lora
            - template:sd-lora
            - sd3.5-medium
            - sd3.5
            - sd3.5-diffusers

            """.ReplaceLineEndings("\n"), header);
        Assert.Contains(
            "pipeline.load_lora_weights(\"ada/cat-lora\", weight_name=\"pytorch_lora_weights.safetensors\")", text,
            StringComparison.Ordinal);
        Assert.Contains("| rank | 4 |\n| lora_layers | a\\|b |\n", text, StringComparison.Ordinal);
        Assert.Contains("LoRA on the text encoders: yes.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\r", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ToMarkdown_UnknownBaseModel_LeavesItOut()
    {
        var text = new LoraCard(Mine, "a cat").ToMarkdown();
        Assert.DoesNotContain("base_model", text, StringComparison.Ordinal);
        Assert.DoesNotContain("## Training", text, StringComparison.Ordinal);
        Assert.Contains("- sd3\n- sd3-diffusers\n---\n", text, StringComparison.Ordinal);
    }

    private (string Path, byte[] Bytes) Lora(int size)
    {
        var path = Path.Combine(Folder, "lora.safetensors");
        var bytes = new byte[size];
        LocalContent.Of(size, 4).Read(0, bytes);
        Encoding.ASCII.GetBytes("lora").CopyTo(bytes, 0);
        File.WriteAllBytes(path, bytes);
        return (path, bytes);
    }
}
