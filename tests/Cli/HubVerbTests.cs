using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Hub;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>The verbs of the hub, and models and LoRA by their names there, against the local hub.</summary>
public sealed class HubVerbTests : HubTest
{
    private const string Tiny = "lab/tiny-sd35m";
    private static readonly string[] Variables = ["HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"];
    private readonly Dictionary<string, string?> _before = Variables.ToDictionary(name => name, Environment.GetEnvironmentVariable);

    public HubVerbTests()
    {
        Environment.SetEnvironmentVariable("HF_ENDPOINT", Hub.Endpoint.AbsoluteUri);
        Environment.SetEnvironmentVariable("HF_HOME", Path.Combine(Folder, "home"));
        foreach (var name in Variables[2..])
            Environment.SetEnvironmentVariable(name, null);
    }

    protected override void Restore()
    {
        foreach (var (name, value) in _before)
            Environment.SetEnvironmentVariable(name, value);
    }

    [Fact]
    public void Login_GoodToken_IsKeptForThisUserAlone()
    {
        var (code, output, _) = Run($"{Secret}\n", "hub", "login");
        Assert.Equal((0, $"Logged in as ada (write access); the token is stored in {TokenPath}"), (code, output.Trim()));
        Assert.Equal(Secret, File.ReadAllText(TokenPath));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(TokenPath));
        Assert.Equal((0, $"ada (write access), by the token from {TokenPath}\norganisations: lab"), Lines(Run(null, "hub", "whoami")));
    }

    [Fact]
    public void Help_Download_NamesTheRepository()
    {
        var (code, output, _) = Run(null, "hub", "download", "--help");
        Assert.Equal(0, code);
        Assert.Contains("hub download REPO ", output, StringComparison.Ordinal);
        Assert.Contains("owner/name, such as stabilityai/stable-diffusion-3.5-medium; datasets/owner/name of a dataset.", output, StringComparison.Ordinal);
        Assert.Contains("\n  pretrain-mini  Makes the miniature", Run(null, "--help").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "The token of the input is empty")]
    [InlineData("hf_unknown", "The hub does not know the token from the input")]
    public void Login_WrongToken_KeepsNothing(string token, string message)
    {
        var (code, _, error) = Run(token, "hub", "login");
        Assert.Equal(1, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.False(File.Exists(TokenPath));
    }

    [Theory]
    [InlineData("hub", "login", "TOKEN")]
    [InlineData("hub", "login", "--token", "TOKEN")]
    [InlineData("hub", "login", "--token=TOKEN")]
    [InlineData("hub", "TOKEN")]
    [InlineData("hub", "whoami", "TOKEN")]
    [InlineData("hub", "download", "TOKEN")]
    [InlineData("TOKEN")]
    [InlineData("train", "TOKEN")]
    [InlineData("generate", "--model", "m", "--prompt", "p", "--hub_token=TOKEN", "TOKEN")]
    public void Run_TokenAtAWrongPlace_IsNotRepeated(params string[] args)
    {
        var (code, output, error) = Run(Secret, [.. args.Select(arg => arg.Replace("TOKEN", Secret, StringComparison.Ordinal))]);
        Assert.Equal(2, code);
        Assert.DoesNotContain("SecretOf", output + error, StringComparison.Ordinal);
        Assert.False(File.Exists(TokenPath));
    }

    [Fact]
    public void Login_TokenOfAnotherFormOnTheCommandLine_IsNotRepeated()
    {
        var (code, output, error) = Run(null, "hub", "login", "eyJhbGciOi.secret-of-another-form");
        Assert.Equal((2, ""), (code, output));
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
        Assert.Contains("`hub login` reads the token from the terminal or from standard input.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Login_LinkedTokenFile_IsWrittenWhereItLies()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        var kept = Path.Combine(Directory.CreateDirectory(Path.Combine(Folder, "kept")).FullName, "token");
        File.WriteAllText(kept, "hf_old");
        Directory.CreateDirectory(Path.GetDirectoryName(TokenPath)!);
        File.CreateSymbolicLink(TokenPath, kept);
        Assert.Equal(0, Run(Secret, "hub", "login").Code);
        Assert.Equal((kept, Secret), (new FileInfo(TokenPath).LinkTarget, File.ReadAllText(kept)));
        File.Delete(kept);
    }

    [Fact]
    public void WhoAmI_TokenFileThatOthersMayRead_IsWarnedOf()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Files have no such mode there.");
        Assert.Equal((0, ""), (Run(Secret, "hub", "login").Code, Run(null, "hub", "whoami").Error));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(TokenPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Equal(
            $"warning: Other users of this machine may read or change the token file {TokenPath}; `chmod 600 {TokenPath}` closes it, and a "
            + "new token is safer.", Run(null, "hub", "whoami").Error.Trim());
    }

    [Fact]
    public void WhoAmI_Nobody_SaysHowToLogIn()
    {
        var (code, _, error) = Run(null, "hub", "whoami");
        Assert.Equal(1, code);
        Assert.Contains("Nobody is logged in", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Download_Encoder_TakesWhatItNeeds()
    {
        Hub.Add(
            "lab/clip", ("config.json", LocalContent.Of("{}")), ("preprocessor_config.json", LocalContent.Of("{ }")),
            ("model.safetensors", LocalContent.Of(1000, 1)), ("tf_model.h5", LocalContent.Of(1000, 2)));
        var (code, output, _) = Run(null, "hub", "download", "lab/clip", "--encoder");
        Assert.Equal(0, code);
        Assert.Contains("3 files, ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Download_ListAndVerify_WorkTogether()
    {
        Hub.Add("lab/model", PipelineFiles());
        Assert.Equal((0, $"{Path.Combine(Folder, "home", "hub")} holds no model."), Lines(Run(null, "hub", "list")));
        var (code, output, _) = Run(null, "hub", "download", "lab/model", "--variant", "fp16");
        Assert.Equal(0, code);
        Assert.Contains("11 files, ", output, StringComparison.Ordinal);
        Assert.True(Directory.Exists(output.Trim().Split('\n')[^1]), output);
        Assert.Contains("lab/model", Run(null, "hub", "list").Output, StringComparison.Ordinal);
        Assert.Contains("11 files verified, 0 damaged", Run(null, "hub", "verify", "lab/model").Output, StringComparison.Ordinal);

        var blob = Directory.GetFiles(Path.Combine(Folder, "home", "hub", "models--lab--model", "blobs"))
            .OrderBy(file => new FileInfo(file).Length).Last();
        using (var stream = File.OpenWrite(blob))
            stream.WriteByte(1);
        var (damaged, text, error) = Run(null, "hub", "verify", "lab/model");
        Assert.Equal(1, damaged);
        Assert.Contains("damaged: transformer/diffusion_pytorch_model.safetensors", text, StringComparison.Ordinal);
        Assert.Contains("hub verify lab/model --repair", error, StringComparison.Ordinal);
        Assert.Equal(0, Run(null, "hub", "verify", "lab/model", "--repair").Code);
        Assert.Contains("11 files verified, 0 damaged", Run(null, "hub", "verify", "lab/model").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'gpt2' is no name of a repository; valid is owner/name", 2, "hub", "download", "gpt2")]
    [InlineData("The hub has no model lab/none", 1, "hub", "download", "lab/none")]
    [InlineData("holds nothing of lab/none at main", 1, "hub", "verify", "lab/none")]
    [InlineData("There is no verb 'lgin'; valid are login", 2, "hub", "lgin")]
    public void Run_Wrong_SaysWhatIsRight(string message, int code, params string[] args)
    {
        var (actual, _, error) = Run(null, args);
        Assert.Equal(code, actual);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void TrainUploadGenerate_AllByName_Work()
    {
        AddTiny();
        using var pictures = new PictureSamples();
        pictures.Add("0.png", seed: 1);
        var run = Path.Combine(Folder, "run");
        var (trained, _, trainError) = Run(
            null, "train", "--pretrained_model_name_or_path", Tiny, "--instance_data_dir", pictures.Folder, "--instance_prompt",
            "a photo of gmc cat", "--resolution=32", "--rank=2", "--max_train_steps=1",
            $"--tokenizers={TinyTokenizers.Root}",
            "--validation_prompt=a cat in the snow", "--num_validation_images=1", "--validation_epochs=1", "--output_dir", run,
            "--device=cpu", "--max_sequence_length=32", "--cache_dir", Path.Combine(Folder, "cache"));
        Assert.True(trained == 0 && trainError == "", trainError);
        Assert.True(Directory.Exists(Path.Combine(Folder, "cache", "models--lab--tiny-sd35m")));
        Assert.Equal(Tiny, DreamBoothConfig.FromJson(File.ReadAllText(Path.Combine(run, "recipe.json"))).PretrainedModelNameOrPath);

        Environment.SetEnvironmentVariable("HF_TOKEN", Secret);
        var (uploaded, output, error) = Run(null, "hub", "upload", run, "ada/cat-lora");
        Assert.True(uploaded == 0 && error == "", error);
        Assert.Contains(
            $"pytorch_lora_weights.safetensors, image_0.png, README.md: {Hub.Endpoint}ada/cat-lora", output, StringComparison.Ordinal);
        var card = new byte[Hub.Repos["ada/cat-lora"].Files["README.md"].Content.Size];
        Hub.Repos["ada/cat-lora"].Files["README.md"].Content.Read(0, card);
        var text = System.Text.Encoding.UTF8.GetString(card);
        Assert.Contains($"base_model: {Tiny}\n", text, StringComparison.Ordinal);
        Assert.Contains("- text: \"a cat in the snow\"\n  output:\n    url: \"image_0.png\"\n", text, StringComparison.Ordinal);
        Assert.Contains("| max_train_steps | 1 |", text, StringComparison.Ordinal);
        Assert.DoesNotContain(pictures.Folder, text, StringComparison.Ordinal);

        Environment.SetEnvironmentVariable("HF_TOKEN", null);
        var drawn = Path.Combine(Folder, "drawn");
        var (generated, said, generateError) = Run(
            null, "generate", "--model", Tiny, "--lora", "ada/cat-lora=0.5", "--prompt", "a cat", "--num_steps=1", "--outdir", drawn,
            "--device=cpu", "--max_sequence_length=32",
            "--width=32", "--height=16", $"--tokenizers={TinyTokenizers.Root}");
        Assert.True(generated == 0 && generateError == "", generateError);
        Assert.Contains("ada/cat-lora: ", said, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(drawn, "*.png", SearchOption.AllDirectories));
        Assert.True(File.Exists(Path.Combine(run, LoraFile.DefaultName)));
    }

    // Who is logged in is asked before anything is loaded; a finished run is uploaded too.
    [Fact]
    public void Train_PushToHub_UploadsUnderTheUsersName()
    {
        using var pictures = new PictureSamples();
        pictures.Add("0.png", seed: 1);
        var run = Path.Combine(Folder, "cat-lora");
        string[] train =
        [
            "train", "--pretrained_model_name_or_path", TinyPipeline.Folder, "--instance_data_dir", pictures.Folder, "--instance_prompt",
            "a photo of gmc cat", "--resolution=32", "--rank=2", "--max_train_steps=1", "--checkpointing_steps=1", "--seed=1",
            $"--tokenizers={TinyTokenizers.Root}", "--output_dir", run, "--device=cpu", "--max_sequence_length=32", "--push_to_hub",
        ];
        var (code, _, error) = Run(null, train);
        Assert.Equal((1, false), (code, Directory.Exists(run)));
        Assert.Contains("Nobody is logged in", error, StringComparison.Ordinal);

        Environment.SetEnvironmentVariable("HF_TOKEN", Secret);
        (code, var output, _) = Run(null, train);
        Assert.Equal(0, code);
        Assert.Contains($"README.md: {Hub.Endpoint}ada/cat-lora", output, StringComparison.Ordinal);
        Assert.Contains("pytorch_lora_weights.safetensors", Hub.Repos["ada/cat-lora"].Files.Keys);
        (code, output, _) = Run(null, [.. train, "--resume_from_checkpoint=latest", "--hub_model_id=lab/other"]);
        Assert.Equal(0, code);
        Assert.Contains("there is nothing left to train", output, StringComparison.Ordinal);
        Assert.Contains("README.md", Hub.Repos["lab/other"].Files.Keys);
    }

    [Fact]
    public void Generate_NoSuchRepo_EndsBeforeAnythingIsLoaded()
    {
        var (code, _, error) = Run(null, "generate", "--model", Tiny, "--lora", "lab/none", "--prompt", "a cat");
        Assert.Equal(1, code);
        Assert.Contains("There is no file or folder lab/none here, so it is taken for a name on the hub.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_NameOnTheHub_IsAWarningUntilItIsCached()
    {
        AddTiny();
        var config = new DreamBoothConfig
        {
            PretrainedModelNameOrPath = Tiny,
            InstanceDataDir = Folder,
            InstancePrompt = "a cat",
            OutputDir = Path.Combine(Folder, "out"),
            Resolution = 32,
        };
        var before = Preflight.Check(config).Single(check => check.Subject == "model");
        Assert.Equal(PreflightStatus.Warning, before.Status);
        Assert.Contains($"dotnet run -- hub download {Tiny}", before.Message, StringComparison.Ordinal);
        Assert.Empty(Hub.Requests);
        Assert.Equal(0, Run(null, "hub", "download", Tiny).Code);
        Assert.Equal(PreflightStatus.Ok, Preflight.Check(config).Single(check => check.Subject == "model").Status);
    }

    private static (int Code, string Output) Lines((int Code, string Output, string Error) run) =>
        (run.Code, run.Output.Trim().ReplaceLineEndings("\n"));

    private void AddTiny()
    {
        var folder = Path.Combine(GoldenSet.SmallRoot, "pipelines", "tiny-sd35m");
        Hub.Add(
            Tiny, [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
                .Select(file => (Path.GetRelativePath(folder, file).Replace('\\', '/'), LocalContent.Of(File.ReadAllBytes(file))))]);
    }

    private (int Code, string Output, string Error) Run(string? input, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(args, new Session(output, error, false, CancellationToken.None, new StringReader(input ?? "")));
        Show(output.ToString());
        Show(error.ToString());
        return (code, output.ToString(), error.ToString());
    }
}
