using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public class DreamBoothConfigTests
{
    private static readonly DreamBoothConfig Smallest = new()
    {
        PretrainedModelNameOrPath = "m",
        InstanceDataDir = "d",
        InstancePrompt = "p",
    };

    // Name and default of every flag of the reference script at commit 58eb52c; - is none, store_true is a switch.
    private const string Reference = """
        pretrained_model_name_or_path=- revision=- variant=- dataset_name=- dataset_config_name=- instance_data_dir=- cache_dir=-
        image_column=image caption_column=- repeats=1 class_data_dir=- instance_prompt=- class_prompt=- max_sequence_length=77
        validation_prompt=- num_validation_images=4 validation_epochs=50 rank=4 lora_dropout=0.0 with_prior_preservation=store_true
        prior_loss_weight=1.0 num_class_images=100 output_dir=- seed=- resolution=512 center_crop=store_true random_flip=store_true
        train_text_encoder=store_true train_batch_size=4 sample_batch_size=4 num_train_epochs=1 max_train_steps=- checkpointing_steps=500
        checkpoints_total_limit=- resume_from_checkpoint=- gradient_accumulation_steps=1 gradient_checkpointing=store_true
        learning_rate=1e-4 text_encoder_lr=5e-6 scale_lr=store_true lr_scheduler=constant lr_warmup_steps=500 lr_num_cycles=1 lr_power=1.0
        dataloader_num_workers=0 weighting_scheme=logit_normal logit_mean=0.0 logit_std=1.0 mode_scale=1.29 precondition_outputs=1
        optimizer=AdamW use_8bit_adam=store_true adam_beta1=0.9 adam_beta2=0.999 prodigy_beta3=- prodigy_decouple=True
        adam_weight_decay=1e-4 adam_weight_decay_text_encoder=1e-3 lora_layers=- lora_blocks=- adam_epsilon=1e-8
        prodigy_use_bias_correction=True prodigy_safeguard_warmup=True max_grad_norm=1.0 push_to_hub=store_true hub_token=- hub_model_id=-
        logging_dir=logs allow_tf32=store_true cache_latents=store_true report_to=tensorboard mixed_precision=no
        upcast_before_saving=store_true prior_generation_precision=- local_rank=-1
        """;

    public static TheoryData<string, string> ReferenceFlags()
    {
        var data = new TheoryData<string, string>();
        foreach (var pair in Reference.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split('=')))
            data.Add(pair[0], pair[1]);
        return data;
    }

    [Theory]
    [MemberData(nameof(ReferenceFlags))]
    public void Flags_EveryFlagOfTheReference_IsThereWithItsDefault(string name, string expected)
    {
        if (DreamBoothConfig.Flags.Find(name) is not { } flag)
        {
            Assert.Contains(name, DreamBoothConfig.UnusedFlags.Names);
            Assert.Equal(expected == "store_true", DreamBoothConfig.UnusedFlags.IsSwitch(name));
            return;
        }

        Assert.DoesNotContain(name, DreamBoothConfig.UnusedFlags.Names);
        if (expected == "store_true")
            Assert.Equal(false, flag.DefaultValue);
        else if (expected != "-")
            Assert.Equal(flag.Parse([expected]), flag.DefaultValue);
        else if (name != "output_dir")
            Assert.True(flag.DefaultValue is null or "");
    }

    // The rows of lib/Training/README.md: a flag that acts is an option of the same name, any other is accepted with a warning.
    [Fact]
    public void Readme_TableOfTheReferencesFlags_SaysWhatTheProgramDoes()
    {
        var rows = File.ReadLines(Path.Combine(GoldenSet.RepositoryRoot, "lib", "Training", "README.md"))
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => (Name: cells[1].Trim('`'), Default: cells[2], Here: cells[3])).ToList();
        var reference = Reference.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(text => text.Split('=')).ToList();
        Assert.Equal(reference.Select(pair => pair[0]), rows.Select(row => row.Name));
        Assert.Equal(
            reference.Select(pair => pair[1] switch { "-" => "none", "store_true" => "off", var text => text }),
            rows.Select(row => row.Default));
        Assert.All(rows, row => Assert.Equal(
            DreamBoothConfig.Flags.Find(row.Name) is not null, row.Here.StartsWith("acts", StringComparison.Ordinal)));
        Assert.All(DreamBoothConfig.UnusedFlags.Names, name => Assert.EndsWith(
            rows.Single(row => row.Name == name).Here["not acted on".Length..].TrimStart(':', ' ') + ".",
            DreamBoothConfig.UnusedFlags.Warning(name), StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_Smallest_IsValidWithoutNotices()
    {
        Smallest.Validate();
        Assert.Empty(Smallest.Notices());
    }

    [Fact]
    public void Notices_TwinsWithoutEffect_AreNamed()
    {
        string[] Told(Func<DreamBoothConfig, DreamBoothConfig> change) => [.. change(Smallest).Notices()];
        Assert.Equal(
            ["logit_mean has no effect without timesteps drawn by logit_normal."],
            Told(config => config with { LogitMean = 1, WeightingScheme = WeightingScheme.Mode, ModeScale = 1 }));
        Assert.Equal(
            [
                "logit_std has no effect without timesteps drawn by logit_normal.",
                "mode_scale has no effect without timesteps drawn by mode.",
            ],
            Told(config => config with { LogitStd = 2, ModeScale = 1, TimestepSampling = TimestepSamplingKind.Uniform }));
        Assert.Empty(Told(config => config with
        {
            LogitMean = 1,
            WeightingScheme = WeightingScheme.None,
            TimestepSampling = TimestepSamplingKind.LogitNormal,
        }));
        Assert.Equal(
            ["mask has no effect with mask_background 1: the rest of a picture counts as much as what is marked."],
            Told(config => config with { Mask = MaskSource.Alpha, MaskBackground = 1 }));
        Assert.StartsWith(
            "cache_latents keeps no instance pictures with augment_each_epoch",
            Assert.Single(Told(config => config with { CacheLatents = true, AugmentEachEpoch = true })), StringComparison.Ordinal);
        Assert.Equal(
            [
                "prior_loss_weight has no effect without with_prior_preservation or blank_prompt_preservation.",
                "num_class_images has no effect without class pictures.",
            ],
            Told(config => config with { PriorLossWeight = 2, NumClassImages = 7 }));
        Assert.Equal(
            [
                "lr_num_cycles has no effect without lr_scheduler cosine_with_restarts.",
                "lr_power has no effect without lr_scheduler polynomial.",
            ],
            Told(config => config with { LrNumCycles = 2, LrPower = 2 }));
        Assert.Equal(
            ["validation_epochs has no effect without validation_prompt."], Told(config => config with { ValidationEpochs = 2 }));
        Assert.Equal(
            ["adam_beta1 has no effect without optimizer AdamW, prodigy or adamw_schedulefree."],
            Told(config => config with { AdamBeta1 = 0.8, Optimizer = "lion" }));
    }

    [Fact]
    public void Validate_SeveralErrors_NamesThemAll()
    {
        var config = Smallest with
        {
            InstancePrompt = "",
            OutputDir = " ",
            WithPriorPreservation = true,
            Resolution = 500,
            ValidationResolution = 500,
            Rank = 0,
            AdamBeta2 = 1,
            LearningRate = double.NaN,
            LoraBlocks = "1,x",
            Optimizer = "came",
            MixedPrecision = (MixedPrecision)9,
        };
        var message = Assert.Throws<LabException>(config.Validate).Message;
        string[] named =
        [
            "instance_prompt is missing", "output_dir is empty; it must name a folder.", "class_data_dir", "class_prompt",
            "resolution is 500", " validation_resolution is 500", "rank is 0", "adam_beta2 is 1",
            "learning_rate is NaN", "lora_blocks is '1,x'", "optimizer is 'came'; valid are", "mixed_precision is '9'; valid are",
        ];
        Assert.All(named, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Fact]
    public void Notices_OptionsWithoutEffect_AreNamed()
    {
        var notices = (Smallest with { ClassPrompt = "a cat", TextEncoderLr = 1e-4, LrWarmupSteps = 10 }).Notices();
        Assert.Equal(3, notices.Count);
        var late = Smallest with { LrScheduler = LearningRateScheduleKind.Linear, LrWarmupSteps = 10, MaxTrainSteps = 10 };
        Assert.Contains("the full learning rate is never reached", Assert.Single(late.Notices()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, 8, 0)]
    [InlineData(1_000_000, 8, 1)]
    [InlineData(4, 9, 1)]
    public void Notices_MorePicturesThanMeantOrAtATime_AreTold(int images, int atATime, int notices)
    {
        var config = Smallest with { NumValidationImages = images, SampleBatchSize = atATime };
        Assert.Empty(config.Notices());
        var told = (config with { ValidationPrompt = "a cat" }).Notices();
        Assert.Equal(notices, told.Count);
        Assert.All(told, notice => Assert.Contains(
            images == 4 ? "sample_batch_size is 9: 8 pictures are generated at a time" : "num_validation_images is 1000000: ", notice,
            StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_AlphaOverRankBeyondFloat32_IsAWrongOption()
    {
        var config = Smallest with { LoraAlpha = 1e-60, LoraBlocks = "1,x", LoraLayers = "," };
        var message = Assert.Throws<LabException>(config.Validate).Message;
        Assert.Contains("The LoRA alpha is 1E-60; divided by the rank (4) it must be within float32", message, StringComparison.Ordinal);
        Assert.Contains("lora_blocks is '1,x'", message, StringComparison.Ordinal);
        Assert.Contains("lora_layers is ','", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_EvaluationThatCannotBe_NamesWhatIsMissing()
    {
        string Message(DreamBoothConfig config) => Assert.Throws<LabException>(config.Validate).Message;
        var evaluated = Smallest with { EvaluationSteps = 10 };
        Assert.EndsWith(
            " evaluation_steps needs validation_prompt: what the scored pictures show.", Message(evaluated), StringComparison.Ordinal);
        evaluated = evaluated with { ValidationPrompt = "a cat" };
        evaluated.Validate();
        Assert.Contains(
            "evaluation_steps needs num_validation_images of at least 1", Message(evaluated with { NumValidationImages = 0 }),
            StringComparison.Ordinal);
        Assert.EndsWith(
            " evaluation_clip needs evaluation_dino: the two score together.", Message(evaluated with { EvaluationClip = "c" }),
            StringComparison.Ordinal);
        Assert.Equal(
            ["evaluation_dino and evaluation_clip have no effect without evaluation_steps or watch_steps."],
            (Smallest with { EvaluationDino = "d", EvaluationClip = "c" }).Notices());
    }

    [Fact]
    public void LoraChoices_Lists_AreSplit()
    {
        var config = Smallest with { LoraBlocks = "12, 30", LoraLayers = "attn.to_k, attn.to_q" };
        Assert.Equal([12, 30], config.LoraBlockNumbers);
        Assert.Equal(["attn.to_k", "attn.to_q"], config.LoraLayerNames);
        Assert.Null(Smallest.LoraBlockNumbers);
        Assert.Null(Smallest.LoraLayerNames);
    }

    [Fact]
    public void ToJson_Tutorial_ReadsBackEqual() =>
        Assert.Equal(DreamBoothConfig.Sd35MediumTutorial, DreamBoothConfig.FromJson(DreamBoothConfig.Sd35MediumTutorial.ToJson()));

    [Fact]
    public void FromJson_ShippedRecipe_IsThePreset()
    {
        var recipe = DreamBoothConfig.FromJson(
            File.ReadAllText(Path.Combine(GoldenSet.RepositoryRoot, "data", "recipes", "sd35-medium-tutorial.json")));
        recipe.Validate();
        Assert.Empty(recipe.Notices());
        Assert.Equal(DreamBoothConfig.Sd35MediumTutorial, recipe);
    }

    [Fact]
    public void FromJson_FlagWithoutEffect_WarnsOnce()
    {
        var warnings = new List<string>();
        DreamBoothConfig.FromJson("""{"rank": 8, "dataloader_num_workers": 4}""", "recipe", warnings.Add);
        Assert.StartsWith("dataloader_num_workers is accepted but not acted on", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void FromJson_UnknownKey_NamesTheNearest()
    {
        var error = Assert.Throws<LabException>(() => DreamBoothConfig.FromJson("""{"learning-rate": 1}""", "my.json"));
        Assert.StartsWith("my.json: 'learning-rate' is no option; nearest are learning_rate,", error.Message, StringComparison.Ordinal);
    }
}
