using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class LabCommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Train_TutorialArguments_GiveTheTutorialsConfigurationAndOneWarning()
    {
        var (code, output, error) = Run(
            "train", "--pretrained_model_name_or_path=models/sd35m", "--instance_data_dir=photos", "--output_dir=out",
            "--mixed_precision=bf16",
            "--train_text_encoder", "--instance_prompt=a photo of gmc cat", "--with_prior_preservation", "--prior_loss_weight=0.05",
            "--class_data_dir=class", "--class_prompt=a photo of a cat", "--num_class_images=24", "--resolution=512",
            "--train_batch_size=1",
            "--gradient_accumulation_steps=4", "--learning_rate=5e-4", "--text_encoder_lr=1e-4", "--report_to=wandb",
            "--lr_scheduler=constant_with_warmup",
            "--lr_warmup_steps=100", "--max_train_steps=756", "--rank=4", "--seed=0",
            "--validation_prompt=a photo of gmc cat walking in the forest",
            "--validation_epochs=25", "--print_config");
        Assert.Equal(0, code);
        Assert.Equal(
            "warning: report_to is wandb: nothing is sent anywhere; TensorBoard's files are written to logs in output_dir, which the "
            + "service's own program uploads.", error.Trim());
        var expected = DreamBoothConfig.Sd35MediumTutorial with
        {
            PretrainedModelNameOrPath = "models/sd35m",
            ReportTo = "wandb",
            InstanceDataDir = "photos",
            OutputDir = "out",
            MixedPrecision = MixedPrecision.Bf16,
            ClassDataDir = "class",
            ClassPrompt = "a photo of a cat",
        };
        Assert.Equal(expected, DreamBoothConfig.FromJson(output));
    }

    [Fact]
    public void Train_ScriptWithSeparateValues_ParsesTheSame()
    {
        var (code, output, error) = Run(
            "train", "--pretrained_model_name_or_path", "m", "--instance_data_dir", "d", "--instance_prompt", "a: b=c --d",
            "--with_prior_preservation",
            "--prior_loss_weight", "5e-02", "--class_data_dir", "c", "--class_prompt", "-p", "--optimizer=adamw", "--logit_mean", "-0.5",
            "--precondition_outputs", "0", "--rank", "4", "--rank=8", "--print_config");
        Assert.Equal((0, ""), (code, error));
        var config = DreamBoothConfig.FromJson(output);
        Assert.Equal(("a: b=c --d", "-p"), (config.InstancePrompt, config.ClassPrompt));
        Assert.Equal(
            (0.05, -0.5, false, 8, "AdamW"),
            (config.PriorLossWeight, config.LogitMean, config.PreconditionOutputs, config.Rank, config.Optimizer));
    }

    [Fact]
    public void Train_RecipeAndFlags_FlagsRule()
    {
        var recipe = Write(
            "recipe.json",
            """{"pretrained_model_name_or_path": "m", "instance_data_dir": "d", "instance_prompt": "p", "rank": 16, "center_crop": true, "hub_token": "x"}""");
        var (code, output, error) = Run(
            "train", "--config", recipe, "--rank=8", "--center_crop=false", "--cuda_graph=false", "--print_config");
        Assert.Equal(0, code);
        Assert.Contains("hub_token is accepted but not acted on", error, StringComparison.Ordinal);
        var config = DreamBoothConfig.FromJson(output);
        Assert.Equal(("m", 8, false, false), (config.PretrainedModelNameOrPath, config.Rank, config.CenterCrop, config.CudaGraph));
    }

    [Theory]
    [InlineData("There is no verb 'trian'; valid are train,", "trian")]
    [InlineData("There is no verb 'instal'; valid are install,", "kernel", "instal")]
    [InlineData("bench is a program of its own: dotnet run --project lib/Bench -- full-size --tiny", "bench", "full-size", "--tiny")]
    [InlineData("pretrain-mini is a program of its own: dotnet run --project lib/Miniature -- vae", "pretrain-mini", "vae")]
    [InlineData("There is no flag --trian; nearest are", "--trian")]
    [InlineData("There is no flag --rnk; nearest are --rank,", "train", "--rnk", "4")]
    [InlineData("There is no flag --learningrate; nearest are --learning_rate,", "train", "--center_crop", "--learningrate=4")]
    [InlineData("There is no flag --guidence; nearest are --guidance,", "generate", "--lora", "a", "--guidence", "4")]
    [InlineData("--lr_scheduler is 'cosin'; valid are cosine,", "train", "--lr_scheduler", "cosin")]
    [InlineData("--resolution is 500; valid is at least 16, at most 16384, a multiple of 16 (nearest: 496 and 512)", "train",
        "--resolution=500")]
    [InlineData("instance_data_dir is missing. instance_prompt is missing.", "train", "--pretrained_model_name_or_path=m")]
    [InlineData("'cat' belongs to no flag", "train", "--instance_prompt", "gmc", "cat")]
    [InlineData("--rank", "train", "--rank")]
    [InlineData("cannot be read", "train", "--config", "no-such-recipe.json")]
    [InlineData("--memory is 'lo'; valid are low,", "generate", "--model", "m", "--memory", "lo")]
    [InlineData("--memory is 'lo'; valid are low,", "memory", "--memory", "lo")]
    [InlineData("--measure runs a training; it does not go with --inference.", "memory", "--inference", "--measure", "1")]
    [InlineData("prompt or prompts_file is needed", "generate", "--model", "m")]
    [InlineData("--sampler is 'ddim'; valid are ", "generate", "--sampler", "ddim")]
    [InlineData(
        "guidance_start is 0.8, behind guidance_end, 0.5", "generate", "--model=m", "--prompt=p", "--guidance_start=0.8",
        "--guidance_end=0.5")]
    [InlineData("There is no list 'arts'; there are recontextualization,", "prompts", "expand", "--subject", "gmc cat", "--list", "arts")]
    [InlineData("--dtype is 'fp8'; valid are fp16, fp32, bf16, auto.", "generate", "--dtype", "fp8")]
    [InlineData("skip_guidance_layers is '7-9'; valid is a list", "generate", "--model=m", "--prompt=p", "--skip_guidance_layers=7-9")]
    [InlineData("--seed is '9223372036854775808'; valid is a whole number",
        "demo", "--seed=9223372036854775808")]
    [InlineData("Nothing is named to evaluate: pictures is needed, or model, lora and prompts_file.", "evaluate", "--instance_data_dir=d")]
    [InlineData("pictures and lora are both given", "evaluate", "--instance_data_dir=d", "--pictures", "a", "--lora=b")]
    [InlineData("lora_scales is '1,x'; valid is a list", "evaluate", "--instance_data_dir=d", "--pictures=a", "--lora_scales=1,x")]
    [InlineData("subject is 'gmc cat'; valid is IDENTIFIER=FOLDER", "evaluate", "--instance_data_dir=d", "--pictures=a",
        "--subject=gmc cat")]
    [InlineData("--protocol is 'papr'; valid are paper", "evaluate", "--protocol=papr")]
    [InlineData("--seed is -1; valid is at least 0.", "demo", "--seed=-1")]
    [InlineData("'dreambnch' belongs to no flag and is no verb (dreambench)", "evaluate", "dreambnch")]
    [InlineData("There is no flag --datset; nearest are --dataset,", "evaluate", "dreambench", "--datset=d")]
    [InlineData("dataset is missing.", "evaluate", "dreambench")]
    [InlineData("--timeout is '1,5'; valid is a number, with a point for fractions.", "run", "a.ipynb", "--timeout", "1,5")]
    public void Run_WrongCommandLine_SaysWhatIsValidAndExits2(string message, params string[] args)
    {
        var (code, output, error) = Run(args);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Run_MissingPromptFile_Exits1WithoutStackTrace()
    {
        var (code, _, error) = Run("generate", "--model", "m", "--prompts_file", Path.Combine(_folder, "none.txt"));
        Assert.Equal(1, code);
        Assert.StartsWith("error: The prompt file ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train")]
    [InlineData("generate")]
    [InlineData("evaluate")]
    public void Help_OfAVerb_NamesEveryFlag(string verb)
    {
        var (code, output, error) = Run(verb, "--help", "--wrong");
        Assert.Equal((0, ""), (code, error));
        var flags = verb == "train"
            ? DreamBoothConfig.Flags.All.Select(flag => flag.Name).Concat(DreamBoothConfig.UnusedFlags.Names).Append("config")
            : verb == "evaluate" ? EvaluateConfig.Flags.All.SelectMany(flag => flag.Aliases.Append(flag.Name))
            : GenerateConfig.Flags.All.SelectMany(flag => flag.Aliases.Append(flag.Name)).Concat(GenerateConfig.UnusedFlags.Names);
        Assert.All(flags, flag => Assert.Matches($@"--{flag}\b", output));
        Assert.All(output.Split('\n'), line => Assert.True(line.Length <= 110, line));
    }

    [Fact]
    public void Help_OfEvaluate_NamesItsVerb()
    {
        var output = Run("evaluate", "--help").Output;
        Assert.Contains("evaluate [VERB] [--flag", output, StringComparison.Ordinal);
        Assert.Contains("  dreambench ", output, StringComparison.Ordinal);
        Assert.Contains("--dataset", Run("evaluate", "dreambench", "--help").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_RecipeThatScoresWithEncoders_HasTheirPhase()
    {
        using var encoders = new SmallEncoders();
        var recipe = DreamBoothConfig.Sd35MediumTutorial with
        {
            ValidationPrompt = "a cat",
            EvaluationSteps = 10,
            EvaluationDino = encoders.Dino,
            EvaluationClip = encoders.Clip,
            Device = "cpu",
        };
        var (code, output, error) = Run("memory", "--config", Write("scored.json", recipe.ToJson()));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("\n  score ", output, StringComparison.Ordinal);
        var missing = Write("missing.json", (recipe with { EvaluationDino = "nobody/not-in-the-cache" }).ToJson());
        (code, output, error) = Run("memory", "--config", missing);
        Assert.Equal(0, code);
        Assert.DoesNotContain("\n  score ", output, StringComparison.Ordinal);
        Assert.Contains("hub download nobody/not-in-the-cache --encoder", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_OfGenerate_WarnsOfTheTutorialsSize() =>
        Assert.Contains("256, is a trap", Run("generate", "--help").Output, StringComparison.Ordinal);

    [Fact]
    public void Run_NoArguments_ListsTheVerbs()
    {
        var (code, output, _) = Run();
        Assert.Equal(0, code);
        Assert.All(["train", "generate", "doctor"], verb => Assert.Contains($"  {verb} ", output, StringComparison.Ordinal));
    }

    [Fact]
    public void Doctor_Json_SaysWhetherTheLabCanRun()
    {
        var (code, output, _) = Run("doctor", "--json");
        using var report = System.Text.Json.JsonDocument.Parse(output);
        Assert.Equal(code == 0, report.RootElement.GetProperty("usable").GetBoolean());
        Assert.Equal(0, code);
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(args, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }
}
