using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Evaluation;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>Whole runs of both verbs on what the repository itself holds.</summary>
public sealed class TrainAndGenerateTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-run-").FullName;

    public TrainAndGenerateTests()
    {
        _pictures.AddMany(3);
    }

    private string Lora => Out("lora", LoraFile.DefaultName);

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Train_PriorPreservationAndTextEncoders_WritesLoraRecipeAndRecords()
    {
        var classes = Out("class");
        Directory.CreateDirectory(classes);
        ImageEncoder.Save(Path.Combine(classes, "mine.png"), PictureSamples.Draw(64, 64, 9));
        var (code, output, error) = Train(
            "--train_text_encoder", "--with_prior_preservation", $"--class_data_dir={classes}", "--class_prompt=a photo of a cat",
            "--num_class_images=3",
            "--validation_prompt=a cat in the snow", "--num_validation_images=1", "--validation_epochs=1",
            "--gradient_accumulation_steps=2", "--max_train_steps=3");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("Class pictures 2/2", output, StringComparison.Ordinal);
        Assert.Contains(
            $"3 pictures in {_pictures.Folder}{Environment.NewLine}No captions of their own; 3 with the instance prompt \"a photo of gmc "
            + $"cat\"{Environment.NewLine}",
            output, StringComparison.Ordinal);
        Assert.Contains(
            $"3 class pictures in {classes}, with the prompt \"a photo of a cat\"{Environment.NewLine}Every text is read to its end: CLIP "
            + "reads ", output, StringComparison.Ordinal);
        Assert.Contains($"{Lora}: 3 steps in ", output, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetFiles(classes).Length);

        using var lora = SafetensorsFile.Open(Lora);
        Assert.Equal(
            ["text_encoder", "text_encoder_2", "transformer"], lora.Tensors.Keys.Select(key => key.Split('.')[0]).Distinct().Order());
        var recipe = DreamBoothConfig.FromJson(File.ReadAllText(Out("lora", "recipe.json")));
        Assert.Equal((5L, 3, "a photo of gmc cat"), (recipe.Seed, recipe.MaxTrainSteps, recipe.InstancePrompt));
        var records = StepLog.Read(Out("lora"));
        Assert.Equal([1, 2, 3], records.Select(record => record.Step));
        Assert.All(records, record => Assert.True(record.PriorLoss > 0 && record.TextEncoderLr > 0 && double.IsFinite(record.Loss)));
        Assert.Equal(["step_00002", "step_00003"], Directory.GetDirectories(Out("lora", "validation")).Select(Path.GetFileName).Order());
        Assert.True(File.Exists(Out("lora", "validation", "step_00003", "img_00.png")));
    }

    [Fact]
    public void Train_EvaluationWithEncoders_WritesScoresAndSaysThem()
    {
        using var encoders = new SmallEncoders();
        string[] evaluation =
        [
            "--validation_prompt=a cat in the snow", "--num_validation_images=2", "--validation_inference_steps=1",
            "--validation_resolution=32", "--evaluation_steps=2", "--max_train_steps=3", "--evaluation_protocol=paper",
        ];
        var (code, output, error) = Train(
            [.. evaluation, $"--evaluation_dino={encoders.Dino}", $"--evaluation_clip={encoders.Clip}"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"after step 3: dino \S+  clip_i \S+  clip_t \S+  nearest \S+", output);
        var records = StepLog.Read(Out("lora"));
        Assert.All(records, record => Assert.Equal("DINO dino-vit, CLIP small-clip, protocol paper", record.Judge));
        Assert.All(records, record => Assert.Equal(["clip_i", "clip_t", "dino", "nearest"], record.Scores!.Keys.Order()));

        (code, _, error) = Train([.. evaluation, "--overwrite_output_dir"]);
        Assert.Equal(1, code);
        Assert.Contains("Name two encoders, folders or names on the hub: evaluation_dino", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_SameSeed_WritesTheSameFileAndAnotherSeedAnother()
    {
        byte[] Run(string seed)
        {
            Assert.Equal(0, Train("--max_train_steps=2", $"--seed={seed}").Code);
            return File.ReadAllBytes(Lora);
        }

        var first = Run("5");
        Assert.Equal(first, Run("5"));
        Assert.NotEqual(first, Run("6"));
    }

    [Fact]
    public void Train_RecipeOfAnEarlierRun_RepeatsIt()
    {
        Assert.Equal(0, Train("--max_train_steps=2").Code);
        var first = File.ReadAllBytes(Lora);
        var (code, _, error) = Run(CancellationToken.None, "train", "--config", Out("lora", "recipe.json"), "--output_dir", Out("again"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(first, File.ReadAllBytes(Out("again", LoraFile.DefaultName)));
    }

    [Fact]
    public void Train_BrokenPicture_IsRefusedOrSkippedAsAsked()
    {
        _pictures.AddText("broken.jpg", "half a file");
        var (code, _, error) = Train("--max_train_steps=1");
        Assert.Equal(1, code);
        Assert.Contains("broken.jpg", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Lora));
        (code, _, error) = Train("--max_train_steps=1", "--on_bad_image=skip");
        Assert.Equal(0, code);
        Assert.Contains("broken.jpg is skipped", error, StringComparison.Ordinal);
        Assert.True(File.Exists(Lora));
    }

    [Fact]
    public void Train_LatestOfAFinishedRun_SaysSoAndSucceeds()
    {
        Assert.Equal(0, Train("--max_train_steps=2", "--checkpointing_steps=2").Code);
        var lora = File.ReadAllBytes(Lora);
        var (code, output, error) = Train("--max_train_steps=2", "--resume_from_checkpoint=latest");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains($"{Lora}: finished by an earlier run, at step 2 of 2; there is nothing left to train.", output,
            StringComparison.Ordinal);

        // Killed between the last checkpoint and the end: the LoRA is the checkpoint's. Three pictures make three steps an epoch.
        File.WriteAllText(Lora, "the LoRA of an earlier run");
        Assert.Equal(0, Train("--max_train_steps=2", "--resume_from_checkpoint=latest").Code);
        Assert.Equal(lora, File.ReadAllBytes(Lora));
        Assert.Equal(0, Train("--num_train_epochs=1", "--resume_from_checkpoint=latest", "--checkpointing_steps=3").Code);
        (code, output, _) = Train("--num_train_epochs=1", "--resume_from_checkpoint=latest");
        Assert.Equal(0, code);
        Assert.Contains("finished by an earlier run, at step 3 of 3", output, StringComparison.Ordinal);
        Assert.Equal(3, StepLog.Read(Out("lora")).Count);
    }

    [Fact]
    public void Train_EpochsBeyondCounting_IsAWrongOption()
    {
        var (code, _, error) = Train("--num_train_epochs=2147483647");
        Assert.Equal(2, code);
        Assert.Contains(
            "num_train_epochs is 2147483647, of 3 steps each: 6442450941 steps are more than 2147483647. Give at most 715827882 epochs",
                error, StringComparison.Ordinal);
        Assert.False(File.Exists(Lora));
    }

    [Theory]
    [InlineData("gradient_accumulation_steps")]
    [InlineData("train_batch_size")]
    [InlineData("rank")]
    [InlineData("repeats")]
    [InlineData("sample_batch_size")]
    [InlineData("num_class_images")]
    public void Train_NumbersBeyondCounting_AreWrongOptions(string name)
    {
        var (code, _, error) = Train($"--{name}=2147483647");
        Assert.Equal(2, code);
        Assert.Contains($"{name} is 2147483647; valid is at least 1, at most ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WarmUpLongerThanTheEpochs_IsTold()
    {
        var (code, _, error) = Train("--num_train_epochs=1", "--lr_scheduler=constant_with_warmup", "--lr_warmup_steps=3");
        Assert.Equal(0, code);
        Assert.Contains("lr_warmup_steps (3) is not below the run's steps (3): the full learning rate is never reached.", error,
            StringComparison.Ordinal);
        Assert.Equal("", Train("--num_train_epochs=1", "--lr_scheduler=constant_with_warmup", "--lr_warmup_steps=2").Error);
    }

    [Fact]
    public void Generate_EmptyOutputFolder_IsAWrongOption()
    {
        var (code, _, error) = Run(CancellationToken.None, "generate", "--model", TinyPipeline.Folder, "--prompt=x", "--outdir", "");
        Assert.Equal(2, code);
        Assert.Contains("output_dir is empty; it must name a folder.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_BatchLargerThanAnEpoch_IsToldAndPlannedAsItIs()
    {
        var run = Train("--train_batch_size=65536", "--max_train_steps=1", "--memory=auto");
        Assert.Equal(0, run.Code);
        Assert.Contains(
            "train_batch_size is 65536, and an epoch has 3 pictures, repeats counted: batches of 3 are trained.", run.Error,
            StringComparison.Ordinal);
        Assert.Contains("Memory mode fast: ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_RevisionAndComponentsOfAModelFolder_AreToldToHaveNoEffect()
    {
        var run = Generate("pictures", "--prompt=x", "--revision=fp16", "--components", _folder);
        Assert.Equal(0, run.Code);
        Assert.Contains($"warning: revision has no effect: {TinyPipeline.Folder} is here", run.Error, StringComparison.Ordinal);
        Assert.Contains($"warning: components has no effect: {TinyPipeline.Folder} is a folder", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_ValueOfAnyLength_IsNotRepeatedWhole()
    {
        var run = Train("--lora_blocks=" + new string('y', 100_000));
        Assert.Equal(2, run.Code);
        Assert.InRange(run.Error.Length, 200, 1000);
        var path = Out("recipe.json");
        File.WriteAllText(path, "{" + string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"key_{i}\": 1")) + "}");
        run = Train("--config", path);
        Assert.Equal(2, run.Code);
        Assert.Contains("'key_19' is no option; ", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("There may be more.", run.Error.TrimEnd(), StringComparison.Ordinal);
        Assert.InRange(run.Error.Length, 1000, 4100);
    }

    [Fact]
    public void Train_AnotherSubjectInTheSameFolder_IsRefusedUnlessAskedFor()
    {
        Assert.Equal(0, Train("--max_train_steps=1").Code);
        var first = File.ReadAllBytes(Lora);
        var (code, _, error) = Train("--max_train_steps=1", "--instance_prompt=a dog");
        Assert.Equal(1, code);
        Assert.Contains("holds the LoRA of another subject", error, StringComparison.Ordinal);
        Assert.Equal(first, File.ReadAllBytes(Lora));
        Assert.Equal(0, Train("--max_train_steps=1", "--instance_prompt=a dog", "--overwrite_output_dir").Code);
        Assert.NotEqual(first, File.ReadAllBytes(Lora));
        var recipe = DreamBoothConfig.FromJson(File.ReadAllText(Out("lora", "recipe.json")));
        Assert.Equal(("a dog", false), (recipe.InstancePrompt, recipe.OverwriteOutputDir));
        Assert.Equal(2, Train("--max_train_steps=1", "--with_prior_preservation", "--class_prompt=a cat",
            $"--class_data_dir={_pictures.Folder}").Code);
    }

    [Fact]
    public void Train_LongCaption_SaysThatTextIsCutBeforeTheFirstStep()
    {
        _pictures.AddText("1.TXT", string.Join(' ', Enumerable.Repeat("cat", 200)));
        var (code, output, error) = Train("--max_train_steps=1");
        Assert.Equal(0, code);
        Assert.Contains("1 with captions of their own (1 from text files); 2 with the instance prompt", output, StringComparison.Ordinal);
        Assert.Matches("1 of 2 texts are cut: CLIP reads [0-9]+ tokens, the longest has 20[0-9], T5 reads", output);
        Assert.True(output.IndexOf("texts are cut", StringComparison.Ordinal) < output.IndexOf("Training 1/1", StringComparison.Ordinal));
        Assert.Contains(
            "2 of 3 pictures have no caption of their own and are trained on the instance prompt: 0.png, 2.png.", error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Train_PicturesThatCannotBeUsed_IsSaidBeforeTheModelIsLookedFor()
    {
        var (code, _, error) = Train("--pretrained_model_name_or_path=/nowhere/at/all", "--caption_column=words");
        Assert.Equal(1, code);
        Assert.Contains("caption_column is \"words\", a key of metadata.jsonl, but", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_EndlessPrompt_IsRefusedInOneShortMessage()
    {
        var prompts = Path.Combine(_folder, "prompts.txt");
        File.WriteAllText(prompts, "a cat\n" + new string('x', 1_000_000));
        var (code, output, error) = Generate("pictures", $"--prompts_file={prompts}");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains($"Prompt 2 of {prompts} has 1,000,000 characters", error, StringComparison.Ordinal);
        Assert.InRange(error.Length, 100, 400);
        (code, _, error) = Generate("pictures", $"--prompt={new string('x', 1_000_000)}");
        Assert.Equal(2, code);
        Assert.InRange(error.Length, 100, 400);
    }

    [Fact]
    public void Train_AlphaThatIsNotTheRank_WritesAnExportThatDrawsTheSameWithoutItsHeader()
    {
        var export = Out("lora", LoraExport.DefaultName);
        var (code, output, _) = Train("--max_train_steps=2", "--learning_rate=0.1", "--rank=4", "--lora_alpha=1");
        Assert.Equal(0, code);
        Assert.Contains($"{LoraFile.DefaultName} is for diffusers, PEFT and this program", output, StringComparison.Ordinal);
        Assert.Contains($"{export} is the same with alpha / rank in its weights, for ComfyUI", output, StringComparison.Ordinal);
        using (SafetensorsFile raw = SafetensorsFile.Open(Lora), folded = SafetensorsFile.Open(export))
        {
            Assert.Contains("lora_adapter_metadata", raw.Metadata.Keys);
            Assert.DoesNotContain("lora_adapter_metadata", folded.Metadata.Keys);
            using var scope = TorchSharp.torch.NewDisposeScope();
            Assert.All(raw.Tensors.Keys, name => Golden.GoldenAssert.Exact(
                name.Contains("lora_B", StringComparison.Ordinal) ? raw.Load(name) * 0.25 : raw.Load(name), folded.Load(name)));
        }

        Assert.Equal(0, Train("--max_train_steps=2", "--rank=4", "--lora_alpha=1", "--export_dtype=none").Code);
        Assert.False(File.Exists(export), "an export of an earlier LoRA does not stay beside another");
        (code, output, _) = Train("--max_train_steps=1", "--export_dtype=bf16");
        Assert.Equal(0, code);
        using (var folded = SafetensorsFile.Open(export))
            Assert.All(folded.Tensors.Values, entry => Assert.Equal(TorchSharp.torch.ScalarType.BFloat16, entry.DType));
        (_, output, _) = Train("--max_train_steps=1");
        Assert.False(File.Exists(export));
        Assert.DoesNotContain("ComfyUI", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_RateBeyondFloat32_FailsAndWritesNoLora()
    {
        var (code, _, error) = Train("--max_train_steps=1", "--learning_rate=1e308");
        Assert.Equal(1, code);
        Assert.Contains("Step 1 leaves the LoRA of transformer not finite", error, StringComparison.Ordinal);
        Assert.Contains("learning_rate is 1E+308", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Lora));
    }

    [Fact]
    public void Generate_GuidanceOrScaleBeyondFloat32_FailsAndWritesNoPicture()
    {
        Assert.Equal(0, Train("--max_train_steps=2", "--learning_rate=0.1").Code);
        (string, string)[] cases = [("--guidance=1e308", "the guidance scale is 1E+308"), ("--lora_scale=1e38", "has the weight 1E+38")];
        foreach (var (argument, message) in cases)
        {
            var (code, _, error) = Generate("broken", "--prompt=the moon", argument, "--lora", Lora);
            Assert.Equal(1, code);
            Assert.Contains("The latents after step 1 of ", error, StringComparison.Ordinal);
            Assert.Contains(message, error, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(_folder, "*.png", SearchOption.AllDirectories));
        }
    }

    [Fact]
    public void Train_Cancelled_KeepsTheStepsDone()
    {
        using var source = new CancellationTokenSource();
        using var output = new CancellingWriter(source, "Training 1/");
        using var error = new StringWriter();
        var code = LabCommandLine.Run(TrainArguments("--max_train_steps=500"), new Session(output, error, false, source.Token));
        Assert.Equal(130, code);
        Assert.Contains("ended early", output.ToString(), StringComparison.Ordinal);
        var steps = StepLog.Read(Out("lora")).Count;
        Assert.InRange(steps, 1, 499);
        using var lora = SafetensorsFile.Open(Lora);
        Assert.NotEmpty(lora.Tensors);
    }

    [Fact]
    public void Train_CancelledBeforeTheFirstStep_SavesNothing()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var (code, _, error) = Run(source.Token, TrainArguments("--max_train_steps=5"));
        Assert.Equal(130, code);
        Assert.Contains("Cancelled", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Lora));
    }

    [Fact]
    public void Generate_PromptsFileAndLoras_WritesTheTutorialsFolders()
    {
        Assert.Equal(0, Train("--max_train_steps=2", "--learning_rate=0.1").Code);
        var prompts = Path.Combine(_folder, "prompts.txt");
        File.WriteAllText(prompts, "a cat: with wings!\n\n  the moon \n");
        var (code, output, error) = Generate(
            "pictures", $"--prompts_file={prompts}", "--num_images=2", "--seed=3", "--lora", $"{Out("lora")}=0.5", Lora);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(2, output.Split("62 of 62 tensors matched").Length - 1);
        Assert.Contains("4 pictures in ", output, StringComparison.Ordinal);
        Assert.Equal(
            ["000_a cat_ with wings_/img_00.png", "000_a cat_ with wings_/img_01.png", "001_the moon/img_00.png",
                "001_the moon/img_01.png"],
            Directory.GetFiles(Out("pictures"), "*.png", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Out("pictures"), path)).Order(StringComparer.Ordinal));
        Assert.True(File.Exists(Out("pictures", "index.html")));

        Assert.Equal(0, Generate("alone", "--prompt=the moon", "--seed=4", "--num_images=2", "--lora", $"{Out("lora")}=0.5", Lora).Code);
        Assert.Equal(
            File.ReadAllBytes(Out("pictures", "001_the moon", "img_01.png")),
            File.ReadAllBytes(Out("alone", "000_the moon", "img_01.png")));
        Assert.Equal(0, Generate("scaled", "--prompt=the moon", "--seed=4", "--num_images=2", "--lora", Lora, "--lora_scale=1.5").Code);
        var (two, one) = (Pixels("alone"), Pixels("scaled"));
        Assert.True(two.Zip(one, (a, b) => Math.Abs(a - b)).Max() <= 1, "weights 0.5 and 1 add up to 1.5");
        Assert.Equal(0, Generate("plain", "--prompt=the moon", "--seed=4", "--num_images=2", "--no_page").Code);
        Assert.Equal(["000_the moon"], Directory.GetFileSystemEntries(Out("plain")).Select(Path.GetFileName));
        Assert.NotEqual(two, Pixels("plain"));

        byte[] Pixels(string folder) => ImageDecoder.Load(Out(folder, "000_the moon", "img_00.png")).Pixels;
    }

    [Fact]
    public void Generate_NoiseAtEveryStep_DependsOnThePictureAlone()
    {
        string[] arguments =
            ["--prompt=the moon", "--num_images=3", "--seed=4", "--sampler=dpmpp_2m_sde", "--sigmas=karras", "--guidance=1"];
        Assert.Equal(0, Generate("noisy", arguments).Code);
        string[] files = [.. Enumerable.Range(0, 3).Select(i => Out("noisy", "000_the moon", $"img_{i:00}.png"))];
        var whole = files.Select(File.ReadAllBytes).ToArray();
        File.Delete(files[1]);
        var (code, _, error) = Generate("noisy", arguments);
        Assert.Equal((0, ""), (code, error));
        Assert.All(files.Zip(whole), entry => Assert.InRange(Difference(entry.First, entry.Second), 0, 1));
        Assert.Contains(
            "Sampler: DPM++ 2M SDE, Schedule type: Karras", System.Text.Encoding.UTF8.GetString(whole[1]), StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_NegativePromptsOfAFile_BelongToTheirPrompts()
    {
        var (prompts, negatives) = (Out("prompts.txt"), Out("negatives.txt"));
        File.WriteAllText(prompts, "the moon\na cat\n");
        File.WriteAllText(negatives, "fog\nrain\n");
        Assert.Equal(0, Generate("both", $"--prompts_file={prompts}", $"--negative_prompts_file={negatives}", "--seed=1").Code);
        Assert.Equal(0, Generate("one", "--prompt=a cat", "--negative_prompt=rain", "--seed=2").Code);
        Assert.InRange(
            Difference(Out("both", "001_a cat", "img_00.png"), File.ReadAllBytes(Out("one", "000_a cat", "img_00.png"))), 0, 0);
        File.WriteAllText(negatives, "fog\nrain\nsnow\n");
        var (code, _, error) = Generate("both", $"--prompts_file={prompts}", $"--negative_prompts_file={negatives}");
        Assert.Equal(1, code);
        Assert.Contains("has 3 negative prompts for 2 prompts; it must have one, or one for each.", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_PicturesThatAreThere_StayWhereWholeAndOfTheSameSettings()
    {
        string[] arguments = ["--prompt=the moon", "--num_images=3", "--seed=4"];
        Assert.Equal(0, Generate("pictures", arguments).Code);
        string[] files = [.. Enumerable.Range(0, 3).Select(i => Out("pictures", "000_the moon", $"img_{i:00}.png"))];
        var whole = files.Select(File.ReadAllBytes).ToArray();
        File.Delete(files[0]);
        File.WriteAllBytes(files[1], whole[1][..^20]);
        var untouched = File.GetLastWriteTimeUtc(files[2]);
        var (code, output, error) = Generate("pictures", arguments);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains($"3 pictures in {Out("pictures")}; 1 of them there from an earlier run (--overwrite generates them again)", output,
            StringComparison.Ordinal);
        Assert.Equal(untouched, File.GetLastWriteTimeUtc(files[2]));
        Assert.All(files.Zip(whole), entry => Assert.InRange(Difference(entry.First, entry.Second), 0, 1));

        // Nothing is missing: no model is loaded, and nothing is written.
        var written = files.Select(File.GetLastWriteTimeUtc).ToArray();
        Assert.DoesNotContain("Denoising", Generate("pictures", arguments).Output, StringComparison.Ordinal);
        Assert.Equal(written, files.Select(File.GetLastWriteTimeUtc));
        Assert.Equal(0, Generate("pictures", [.. arguments, "--overwrite"]).Code);
        Assert.All(files.Zip(written), entry => Assert.NotEqual(entry.Second, File.GetLastWriteTimeUtc(entry.First)));
        Assert.Equal(whole, files.Select(File.ReadAllBytes));

        // Other settings: all three anew, as in a new folder.
        Assert.Equal(0, Generate("pictures", [.. arguments, "--guidance=2"]).Code);
        Assert.Equal(0, Generate("new", [.. arguments, "--guidance=2"]).Code);
        Assert.Equal(files.Select(File.ReadAllBytes),
            Directory.GetFiles(Out("new"), "*.png", SearchOption.AllDirectories).Order().Select(File.ReadAllBytes));
        Assert.NotEqual(whole[0], File.ReadAllBytes(files[0]));
    }

    [Fact]
    public void Generate_PicturesOfAnotherLoraOrOfUnknownOrigin_AreRefusedUnlessAskedFor()
    {
        Assert.Equal(0, Train("--max_train_steps=1").Code);
        Assert.Equal(0, Generate("pictures", "--prompt=the moon").Code);
        var file = Out("pictures", "000_the moon", "img_00.png");
        var first = File.ReadAllBytes(file);
        var (code, _, error) = Generate("pictures", "--prompt=the moon", "--lora", Lora);
        Assert.Equal(1, code);
        Assert.Contains(
            "1 of the pictures in " + Out("pictures")
                + " are not of tiny-sd35m with lora: 000_the moon/img_00.png is of tiny-sd35m without LoRA.", error,
                StringComparison.Ordinal);
        Assert.Equal(first, File.ReadAllBytes(file));
        Assert.Equal(0, Generate("pictures", "--prompt=the moon", "--lora", Lora, "--overwrite").Code);
        ImageEncoder.Save(file, new RgbImage(8, 8));
        (code, _, error) = Generate("pictures", "--prompt=the moon");
        Assert.Equal(1, code);
        Assert.Contains("img_00.png is of unknown origin", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_MorePicturesThanFitAtATime_AreThoseOfAllAtOnce()
    {
        Assert.Equal(0, Generate("pictures", "--prompt=the moon", "--num_images=10", "--seed=9223372036854775807").Code);
        using var pipeline = TinyPipeline.Load();
        var request = new Lab.Pipelines.GenerationRequest
        {
            Prompts = ["the moon"],
            NumImagesPerPrompt = 10,
            NumInferenceSteps = 2,
            GuidanceScale = 7.5,
            Width = 32,
            Height = 16,
            MaxSequenceLength = 32,
            Seed = long.MaxValue,
        };
        var expected = pipeline.Generate(request);
        for (var i = 0; i < 10; i++)
        {
            var pixels = ImageDecoder.Load(Out("pictures", "000_the moon", $"img_{i:00}.png")).Pixels;
            Assert.True(pixels.Zip(expected[i].Pixels, (a, b) => Math.Abs(a - b)).Max() <= 1, $"picture {i}");
        }
    }

    [Theory]
    [InlineData(2, "num_images is 2147483647, for 1 prompt: that is 2147483647 pictures, and a run makes at most 1000000.",
        "--num_images=2147483647")]
    [InlineData(2, "num_images is 2147483647, for 1 prompt: that is", "--num_images=2147483647", "--num_steps=1")]
    [InlineData(2, "num_steps is 2147483647", "--num_steps=2147483647")]
    [InlineData(2, "height is 2147483632; valid is at least 16, at most 16384", "--height=2147483632")]
    [InlineData(1, "Pictures of 32×16384 pixels cannot be made", "--height=16384")]
    public void Generate_NumbersBeyondCounting_AreRefused(int expected, string message, params string[] arguments)
    {
        var (code, _, error) = Generate("pictures", ["--prompt=the moon", .. arguments]);
        Assert.Equal(expected, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out("pictures")));
    }

    [Theory]
    [InlineData("lora_alpha is 1E+30, by which the LoRA counts 2.5E+29 times. Lower it; the rank (4) is usual", "--lora_alpha=1e30")]
    [InlineData("prior_loss_weight is 1E+308. Lower it; up to 1 is usual", "--prior_loss_weight=1e308", "--with_prior_preservation",
        "--class_prompt=a cat", "--num_class_images=1")]
    public void Train_OptionThatMakesTheLossNoNumber_IsNamed(string cause, params string[] more)
    {
        var (code, _, error) = Train(["--max_train_steps=1", "--rank=4", $"--class_data_dir={Out("class")}", .. more]);
        Assert.Equal(1, code);
        Assert.Contains($"it is not taken. Likely cause: {cause}. No LoRA was written.", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Lora));
    }

    [Fact]
    public void Generate_FolderInUse_SaysByWhomBeforeAnythingIsLoaded()
    {
        using var held = Lab.Foundation.RunFolder.Open(Out("pictures"), "generate", "output_dir");
        var (code, _, error) = Generate("pictures", "--prompt=the moon", "--model=no-such-model");
        Assert.Equal(1, code);
        Assert.Contains($"{Out("pictures")} is in use by generate in this very process", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_Cancelled_KeepsThePicturesDone()
    {
        // The third prompt is longer than the text window: its warning is the moment to cancel.
        var prompts = Path.Combine(_folder, "prompts.txt");
        File.WriteAllText(prompts, $"a cat\nthe moon\n{string.Join(' ', Enumerable.Repeat("cat", 200))}\nthe sea\n");
        using var source = new CancellationTokenSource();
        using var error = new CancellingWriter(source, "warning: The prompt 'cat cat");
        var code = LabCommandLine.Run(
            GenerateArguments("pictures", $"--prompts_file={prompts}"), new Session(TextWriter.Null, error, false, source.Token));
        Assert.Equal(130, code);
        Assert.EndsWith("Cancelled.", error.ToString().Trim(), StringComparison.Ordinal);
        Assert.Equal(
            ["000_a cat", "001_the moon", "index.html", "thumbnails"],
            Directory.GetFileSystemEntries(Out("pictures")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Run_MemoryModes_WriteTheSameFilesAndSayWhatWasPicked()
    {
        var (code, output, _) = Train("--max_train_steps=2");
        Assert.Equal(0, code);
        Assert.Contains("Memory mode fast: ", output, StringComparison.Ordinal);
        var fast = File.ReadAllBytes(Lora);
        (code, output, _) = Train("--max_train_steps=2", "--memory=balanced");
        Assert.Equal(0, code);
        Assert.DoesNotContain("Memory mode", output, StringComparison.Ordinal);
        Assert.Equal(fast, File.ReadAllBytes(Lora));
        Assert.Equal("Balanced", DreamBoothConfig.FromJson(File.ReadAllText(Out("lora", "recipe.json"))).Memory.ToString());

        Assert.Equal(0, Generate("fast", "--prompt=the moon", "--memory=fast", "--lora", Lora).Code);
        Assert.Equal(0, Generate("low", "--prompt=the moon", "--memory=low", "--lora", Lora).Code);
        Assert.Equal(
            File.ReadAllBytes(Out("fast", "000_the moon", "img_00.png")), File.ReadAllBytes(Out("low", "000_the moon", "img_00.png")));
    }

    [Fact]
    public void Run_ModelOrOutputThatCannotBeUsed_Exits1WithOneMessage()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "not a folder");
        AssertFails("There is no model folder", Run(CancellationToken.None, "generate", "--model", Out("none"), "--prompt=x"));
        var index = Path.Combine(TinyPipeline.Folder, "model_index.json");
        AssertFails("is the index of a model: name its folder", Run(CancellationToken.None, "generate", "--model", index, "--prompt=x"));
        AssertFails("is the index of a model: name its folder", Train($"--pretrained_model_name_or_path={index}"));
        AssertFails("It is a folder, and a file is needed.", Generate("pictures", "--prompts_file", _folder));
        var vae = Path.Combine(TinyPipeline.Folder, "vae");
        AssertFails("it holds weights of a whole model; models are given to --model", Generate("pictures", "--prompt=x", "--lora", vae));
        AssertFails("There is no LoRA file or folder", Generate("pictures", "--prompt=x", "--lora", Out("none")));
        AssertFails(file, Generate("pictures", "--prompt=x", $"--outdir={file}"));
        AssertFails(file, Run(CancellationToken.None, [.. TrainArguments("--max_train_steps=1"), $"--output_dir={file}"]));
        AssertFails("The device is 'cuda:7'", Generate("pictures", "--prompt=x", "--device=cuda:7"));
        AssertFails("none of the LoRA targets", Train("--lora_blocks=9"));

        static void AssertFails(string message, (int Code, string Output, string Error) run)
        {
            Assert.Equal(1, run.Code);
            Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
            Assert.Contains(message, run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        }
    }

    private static (int Code, string Output, string Error) Run(CancellationToken cancellation, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(args, new Session(output, error, IsInteractive: false, cancellation));
        return (code, output.ToString(), error.ToString());
    }

    private static int Difference(string path, byte[] earlier) =>
        ImageDecoder.Load(path).Pixels.Zip(ImageDecoder.Decode(earlier, "earlier").Pixels, (a, b) => Math.Abs(a - b)).Max();

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);

    private string[] TrainArguments(params string[] more) =>
    [
        "train", $"--pretrained_model_name_or_path={TinyPipeline.Folder}", $"--tokenizers={TinyTokenizers.Root}",
        $"--instance_data_dir={_pictures.Folder}",
        "--instance_prompt=a photo of gmc cat", $"--output_dir={Out("lora")}", "--resolution=32", "--train_batch_size=1",
        "--max_sequence_length=32",
        "--rank=2", "--seed=5", "--device=cpu", .. more,
    ];

    private string[] GenerateArguments(string folder, params string[] more) =>
    [
        "generate", "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--num_steps=2", "--width=32", "--height=16",
        "--max_sequence_length=32",
        "--device=cpu", "--outdir", Out(folder), .. more,
    ];

    private (int Code, string Output, string Error) Train(params string[] more) => Run(CancellationToken.None, TrainArguments(more));

    private (int Code, string Output, string Error) Generate(string folder, params string[] more) =>
        Run(CancellationToken.None, GenerateArguments(folder, more));

    /// <summary>Cancels when a line of the output begins as given.</summary>
    private sealed class CancellingWriter(CancellationTokenSource source, string start) : StringWriter(CultureInfo.InvariantCulture)
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(start, StringComparison.Ordinal) == true)
                source.Cancel();
        }
    }
}
