using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Every variant of LoRA that <c>train</c> has flags for, from its start to pictures with the saved file.</summary>
public sealed class TrainedVariantsTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-variants-").FullName;

    public TrainedVariantsTests()
    {
        _pictures.AddMany(2);
    }

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
    {
        TrainTextEncoder = true,
        TextEncoderLr = 1e-2,
        LearningRate = 1e-2,
        MaxTrainSteps = 2,
        CheckpointingSteps = 1,
        Rank = 2,
        LoraAlpha = 3,
    };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("lora", false, 0, false)]
    [InlineData("lora", true, 0, false)]
    [InlineData("lora", false, 0.3, false)]
    [InlineData("lora", false, 0, true)]
    [InlineData("dora", false, 0, false)]
    [InlineData("dora", true, 0.3, false)]
    [InlineData("loha", false, 0, false)]
    [InlineData("lokr", false, 0.3, false)]
    public void Train_AVariant_StartsAsTheModelResumesBitForBitAndIsReadBack(string variant, bool stabilised, double dropout, bool bias)
    {
        var config = Config with
        {
            LoraVariant = Enum.Parse<LoraVariant>(variant, ignoreCase: true),
            UseRslora = stabilised,
            LoraDropout = dropout,
            LoraBias = bias,
        };
        using var pipeline = TinyPipeline.Load();
        var before = Picture(pipeline);
        byte[] whole, learned;
        using (var session = TrainingSession.Prepare(config, pipeline))
        {
            // DoRA multiplies each row by its norm over its norm, which rounds.
            Assert.InRange(before.Zip(Picture(pipeline)).Max(pair => Math.Abs(pair.First - pair.Second)), 0, variant == "dora" ? 1 : 0);
            Assert.Equal(3 / (stabilised ? Math.Sqrt(2) : 2), session.Adapter.Layers[0].Factor);
            session.Run();
            learned = Picture(pipeline);
            Assert.NotEqual(before, learned);
            whole = File.ReadAllBytes(session.Save());
        }

        using (var session = TrainingSession.Prepare(config with { ResumeFromCheckpoint = "checkpoint-1" }, pipeline))
        {
            session.Run();
            Assert.Equal(whole, File.ReadAllBytes(session.Save()));
        }

        Assert.Equal(before, Picture(pipeline));
        pipeline.LoadLora(config.OutputDir);
        Assert.Equal(learned, Picture(pipeline));
        var layer = pipeline.Adapters[0].Layers[0];
        Assert.Equal((config.LoraVariant, 2), (layer.Variant, layer.Rank));
    }

    [Fact]
    public void Train_RanksOfSingleLayers_ResumesBitForBitAndIsPlannedAndReadBack()
    {
        var config = Config with
        {
            RankPattern = """{"transformer_blocks.0.attn.to_q": 5, "self_attn.*": 1}""",
            AlphaPattern = """{"attn.to_q": 10}""",
        };
        using var pipeline = TinyPipeline.Load();
        byte[] whole;
        using (var session = TrainingSession.Prepare(config, pipeline))
        {
            Assert.Equal([1, 2, 5], session.Adapter.Layers.Select(layer => layer.Rank).Distinct().Order());
            Assert.Equal([1.5, 2, 3, 5], session.Adapter.Layers.Select(layer => layer.Factor).Distinct().Order());
            var planner = new MemoryPlanner(ModelArchitecture.Read(TinyPipeline.Folder));
            Assert.Equal(session.Adapter.Parameters.numel(), planner.TrainedNumbers(MemorySettings.Of(config, 2)));
            session.Run();
            whole = File.ReadAllBytes(session.Save());
        }

        using (var session = TrainingSession.Prepare(config with { ResumeFromCheckpoint = "checkpoint-1" }, pipeline))
        {
            session.Run();
            Assert.Equal(whole, File.ReadAllBytes(session.Save()));
        }

        pipeline.LoadLora(config.OutputDir);
        var layer = pipeline.Adapters[0].Layers.Single(layer => layer.Path == "transformer_blocks.0.attn.to_q");
        Assert.Equal((5, 10d, 2d), (layer.Rank, layer.Alpha, layer.Factor));
    }

    [Fact]
    public void Prepare_APatternThatMatchesNoLayer_IsRefused()
    {
        using var pipeline = TinyPipeline.Load();
        var error = Assert.Throws<LabException>(
            () => TrainingSession.Prepare(Config with { RankPattern = """{"attn.to_qq": 5}""" }, pipeline));
        Assert.Contains("rank_pattern 'attn.to_qq' matches no layer that gets LoRA", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_APlanWithAPatternThatIsNone_IsTold() => Assert.Contains(
        "rank_pattern gives 'to_q' 0; valid is a whole number",
        Assert.Throws<LabException>((MemorySettings.TutorialTraining with { RankPattern = """{"to_q": 0}""" }).Validate).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Train_Dropout_ChangesTheTrainingAndRepeats()
    {
        using var pipeline = TinyPipeline.Load();
        float[] Weights(double dropout, string run)
        {
            using var session = TrainingSession.Prepare(
                Config with { LoraDropout = dropout, OutputDir = Path.Combine(_folder, run) }, pipeline);
            session.Run();
            return session.Adapter.Parameters.data<float>().ToArray();
        }

        var first = Weights(0.5, "first");
        Assert.Equal(first, Weights(0.5, "second"));
        Assert.NotEqual(first, Weights(0, "third"));
    }

    [Theory]
    [InlineData("loha", true, false, "use_rslora does not go with lora_variant loha")]
    [InlineData("dora", false, true, "lora_bias does not go with lora_variant dora")]
    public void Validate_WhatDoesNotGoTogether_IsTold(string variant, bool stabilised, bool bias, string message)
    {
        var config = Config with
        {
            LoraVariant = Enum.Parse<LoraVariant>(variant, ignoreCase: true),
            UseRslora = stabilised,
            LoraBias = bias,
        };
        Assert.Contains(message, Assert.Throws<LabException>(config.Validate).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora", false)]
    [InlineData("lora", true)]
    [InlineData("dora", false)]
    [InlineData("loha", false)]
    [InlineData("lokr", false)]
    public void TrainedNumbers_AVariant_AreWhatTheAdapterHas(string variant, bool bias)
    {
        var config = Config with { LoraVariant = Enum.Parse<LoraVariant>(variant, ignoreCase: true), LoraBias = bias };
        using var pipeline = TinyPipeline.Load();
        using var adapter = config.CreateAdapter(pipeline);
        var planner = new MemoryPlanner(ModelArchitecture.Read(TinyPipeline.Folder));
        Assert.Equal(adapter.Parameters.numel(), planner.TrainedNumbers(MemorySettings.Of(config, 2)));
    }

    [Fact]
    public void Forecast_OtherVariants_TakeMoreThanPlainLora()
    {
        var planner = new MemoryPlanner(ModelArchitecture.Sd35Medium);
        long Peak(LoraVariant variant) => planner.Forecast(MemorySettings.Of(Config with { LoraVariant = variant }, 2)).Peak;
        Assert.All([LoraVariant.Dora, LoraVariant.Loha], variant => Assert.True(Peak(variant) > Peak(LoraVariant.Lora)));
    }

    private static byte[] Picture(StableDiffusion3Pipeline pipeline) => pipeline.Generate(new GenerationRequest
    {
        Prompts = ["a cat"],
        Height = 32,
        Width = 32,
        NumInferenceSteps = 2,
        MaxSequenceLength = 8,
    })[0].Pixels.ToArray();
}
