using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

/// <summary><c>--init_lora</c>: a training that begins with a LoRA.</summary>
public sealed class InitialLoraTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-init-").FullName;

    public InitialLoraTests()
    {
        _pictures.AddMany(2);
    }

    private DreamBoothConfig First => Plain("first") with
    {
        TrainTextEncoder = true,
        TextEncoderLr = 1e-2,
        LearningRate = 1e-2,
        MaxTrainSteps = 2,
        Rank = 2,
        LoraAlpha = 3,
        RankPattern = """{"0.attn.to_q": 3}""",
        Export = "kohya,peft",
    };

    private string Start => Path.Combine(_folder, "first");

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("", 3)]
    [InlineData("kohya_lora_weights.safetensors", 2)]
    public void Prepare_ATrainedLora_BeginsAsItIs(string file, int rank)
    {
        // Kohya's layout has one rank for queries, keys and values.
        using var pipeline = TinyPipeline.Load();
        var trained = Train(First with { RankPattern = $$"""{"0.attn.to_q": {{rank}}}""" }, pipeline);
        var config = Plain("second") with { InitLora = Path.Combine(Start, file) };
        using var session = TrainingSession.Prepare(config, pipeline);
        Assert.Equal(trained, session.Adapter.Parameters.data<float>().ToArray());
        Assert.Equal((2, 3.0, true), (session.Config.Rank, session.Config.LoraAlpha, session.Config.TrainTextEncoder));
        var layer = session.Adapter.Layers.Single(layer => layer.Key == "transformer.transformer_blocks.0.attn.to_q");
        Assert.Equal((rank, 3.0 / rank), (layer.Rank, layer.Factor));
        session.Run();
        Assert.NotEqual(trained, session.Adapter.Parameters.data<float>().ToArray());
        var recipe = DreamBoothConfig.Read(Path.Combine(config.OutputDir, "recipe.json"));
        Assert.Equal((config.InitLora, FileHash.Sha256(LoraFile.Resolve(config.InitLora))), (recipe.InitLora, recipe.InitLoraSha256));
        recipe.Validate();
        Assert.Equal(recipe, InitialLora.Take(recipe, null));
    }

    [Theory]
    [InlineData("dora")]
    [InlineData("loha")]
    [InlineData("lokr")]
    public void Prepare_AnotherVariant_IsTakenWithItsBlocksAndPlanned(string variant)
    {
        var first = First with
        {
            LoraVariant = Enum.Parse<LoraVariant>(variant, ignoreCase: true),
            TrainTextEncoder = false,
            LoraLayers = "attn.to_q",
            LoraBlocks = "1",
            RankPattern = null,
            Export = "diffusers",
        };
        using var pipeline = TinyPipeline.Load();
        var trained = Train(first, pipeline);
        var config = Plain("second") with { InitLora = Start };
        using var session = TrainingSession.Prepare(config, pipeline);
        Assert.Equal(trained, session.Adapter.Parameters.data<float>().ToArray());
        Assert.Equal((first.LoraVariant, "attn.to_q", "1"),
            (session.Config.LoraVariant, session.Config.LoraLayers, session.Config.LoraBlocks));
        Assert.Equal(
            session.Adapter.Parameters.numel(),
            new MemoryPlanner(ModelArchitecture.Read(TinyPipeline.Folder)).TrainedNumbers(MemorySettings.Of(config, 2)));
        session.Run();
    }

    // The file has no LoRA of the text encoders, is gone at the resume, and the average begins with it.
    [Fact]
    public void Resume_WithoutTheFile_GoesOnBitForBit()
    {
        using var pipeline = TinyPipeline.Load();
        Train(First with { TrainTextEncoder = false }, pipeline);
        var config = Plain("second") with
        {
            InitLora = Start,
            TrainTextEncoder = true,
            UseEma = true,
            MaxTrainSteps = 4,
            CheckpointingSteps = 2,
            LearningRate = 1e-2,
            TextEncoderLr = 1e-2,
        };
        byte[] whole;
        using (var session = TrainingSession.Prepare(config, pipeline))
        {
            session.Run();
            whole = File.ReadAllBytes(session.Save());
        }

        Directory.Delete(Start, recursive: true);
        foreach (var again in new[] { config, config with { InitLora = null } })
        {
            using var session = TrainingSession.Prepare(again with { ResumeFromCheckpoint = "checkpoint-2" }, pipeline);
            Assert.Equal(2, session.StepsDone);
            session.Run();
            Assert.Equal(whole, File.ReadAllBytes(session.Save()));
        }

        Assert.Contains(
            "no LoRA file or folder at", TrainingOutput.Refuses(config with { OverwriteOutputDir = true }), StringComparison.Ordinal);
    }

    [Fact]
    public void Check_InitLora_DescribesTheFilesLayers()
    {
        using var pipeline = TinyPipeline.Load();
        Train(First with { TrainTextEncoder = false, RankPattern = null, LoraLayers = "attn.to_q" }, pipeline);
        var config = Plain("second") with { InitLora = Start, Tokenizers = TinyTokenizers.Root, MaxTrainSteps = 2, CheckpointingSteps = 1 };
        var check = Check(config, "LoRA");
        Assert.Matches(@"^lora of rank 2 on \d layers of 1 kinds, [0-9,]+ numbers, as in .*first$", check.Message);
        Assert.StartsWith("transformer attn.to_q: ", Assert.Single(check.Details), StringComparison.Ordinal);
        Assert.Contains(
            "rank is 8, and the LoRA of init_lora", Check(config with { Rank = 8 }, "settings").Message, StringComparison.Ordinal);
        Train(config, pipeline);
        Directory.Delete(Start, recursive: true);
        Assert.Equal(check.Message, Check(config with { ResumeFromCheckpoint = "checkpoint-1" }, "LoRA").Message);

        static PreflightCheck Check(DreamBoothConfig config, string subject) =>
            Preflight.Check(config).Single(check => check.Subject == subject);
    }

    [Fact]
    public void Prepare_OptionsThatSayOtherwise_AreRefusedByName()
    {
        using var pipeline = TinyPipeline.Load();
        Train(First with { TrainTextEncoder = false }, pipeline);
        var config = Plain("second") with { InitLora = Start };
        Refused(config with { Rank = 16 }, "rank is 16, and the LoRA of init_lora");
        Refused(config with { LoraAlpha = 7 }, "lora_alpha is 7, and the LoRA of init_lora");
        Refused(config with { LoraVariant = LoraVariant.Dora }, "lora_variant is dora, and the LoRA of init_lora");
        Refused(config with { UseRslora = true }, "use_rslora is True, and the LoRA of init_lora");
        Refused(config with { LoraBias = true }, "lora_bias is True, and the LoRA of init_lora");
        Refused(config with { LoraLayers = "attn.to_q" }, "lora_layers is attn.to_q, and the LoRA of init_lora");
        Refused(config with { LoraBlocks = "0" }, "lora_blocks is 0, and the LoRA of init_lora");
        Refused(config with { InitLoraSha256 = new string('0', 64) }, "it is another LoRA than the recipe was made with");
        Refused(config with { RankPattern = """{"attn.to_q": 3}""" }, "rank_pattern asks for rank 3 and alpha");
        Refused(config with { InitLora = null, InitLoraSha256 = new string('0', 64) }, "init_lora_sha256 needs init_lora");
        var same = InitialLora.Take(
            config with { Rank = 2, LoraAlpha = 3, LoraLayers = string.Join(',', LoraConfig.TransformerTargets) }, null);
        Assert.Equal((2, 3.0, (string?)null), (same.Rank, same.LoraAlpha, same.LoraLayers));
        Assert.Equal(First.RankPattern, InitialLora.Take(config with { RankPattern = First.RankPattern }, null).RankPattern);

        void Refused(DreamBoothConfig wrong, string message) => Assert.Contains(
            message, Assert.Throws<LabException>(() => TrainingSession.Prepare(wrong, pipeline)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_TensorsThatAreNotKnown_AreNamed()
    {
        using var pipeline = TinyPipeline.Load();
        Train(First, pipeline);
        var file = Path.Combine(Start, LoraFile.DefaultName);
        using var checkpoint = Dreambooth.Lab.Tensors.Checkpoint.Open(file);
        using var scope = TorchSharp.torch.NewDisposeScope();
        var tensors = checkpoint.Names.ToDictionary(name => name, name => checkpoint.Load(name));
        tensors["transformer.transformer_blocks.77.attn.to_q.lora_A.weight"] = TorchSharp.torch.ones(2, 4);
        tensors["transformer.transformer_blocks.77.attn.to_q.lora_B.weight"] = TorchSharp.torch.ones(4, 2);
        var odd = Path.Combine(_folder, "odd.safetensors");
        Dreambooth.Lab.Tensors.SafetensorsWriter.Save(odd, tensors, new Dictionary<string, string>(checkpoint.Metadata));
        var warnings = new List<string>();
        using var session = TrainingSession.Prepare(
            Plain("second") with { InitLora = odd }, pipeline, new TrainingEvents { OnWarning = warnings.Add });
        Assert.Contains(warnings, warning => warning.Contains("transformer_blocks.77", StringComparison.Ordinal));
    }

    private DreamBoothConfig Plain(string output) =>
        TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, output)) with { MaxTrainSteps = 1 };

    private static float[] Train(DreamBoothConfig config, Dreambooth.Lab.Pipelines.StableDiffusion3Pipeline pipeline)
    {
        using var session = TrainingSession.Prepare(config, pipeline);
        session.Run();
        session.Save();
        return session.Adapter.Parameters.data<float>().ToArray();
    }
}
