using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>What is drawn for each use of a picture: captions that are left out, crops and flips.</summary>
public sealed class DrawnAnewTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly PictureSamples _classes = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-drawn-").FullName;
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load();

    public DrawnAnewTests()
    {
        for (var i = 0; i < 3; i++)
        {
            _pictures.Add($"{i}.png", 48 + (10 * i), 40, i);
            _classes.Add($"{i}.png", 60, 40, 10 + i);
        }
    }

    public void Dispose()
    {
        _pipeline.Dispose();
        _pictures.Dispose();
        _classes.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private DreamBoothConfig Config(string run = "run") => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, run)) with
    {
        WithPriorPreservation = true,
        ClassDataDir = _classes.Folder,
        ClassPrompt = "a sea",
        NumClassImages = 3,
        TrainBatchSize = 2,
        GradientAccumulationSteps = 2,
        MaxTrainSteps = 4,
        LearningRate = 1e-3,
    };

    private DreamBoothBatches Prepare(DreamBoothConfig config) =>
        DreamBoothBatches.Prepare(DreamBoothDataset.Load(config.DatasetOptions()), _pipeline, config, 1);

    [Fact]
    public void Rows_CaptionDropout_LeavesOutThatPartOfTheInstancePromptsAlone()
    {
        var dataset = DreamBoothDataset.Load((Config() with { CaptionDropout = 0.3 }).DatasetOptions());
        Assert.Equal(["a cat", "a sea", ""], dataset.DistinctPrompts);
        var rows = Enumerable.Range(0, 400).SelectMany(epoch => dataset.Rows([0, 1, 2], epoch)).ToList();
        Assert.InRange(rows.Count(row => row.Prompt.Length == 0), 290, 430);
        Assert.DoesNotContain(rows, row => row.IsClass && row.Prompt != "a sea");
        Assert.Equal(
            rows.TakeLast(6).Select(row => row.Prompt), dataset.Rows([0, 1, 2], 399).Select(row => row.Prompt));
        var all = DreamBoothDataset.Load((Config() with { CaptionDropout = 1 }).DatasetOptions());
        Assert.All(all.Rows([0, 1, 2], 7).Take(3), row => Assert.Empty(row.Prompt));
    }

    [Fact]
    public void Load_CaptionDropoutWithTrainedEncoders_KeepsTheShapesOfEveryBatch()
    {
        using var batches = Prepare(Config() with { CaptionDropout = 0.5, TrainTextEncoder = true });
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var texts = Enumerable.Range(0, 12).Select(epoch => batches.Load(epoch, 0).Text).ToList();
        Assert.All(texts, text => Assert.Equal(texts[0].Inputs.Select(input => input.shape), text.Inputs.Select(input => input.shape)));
        Assert.True(texts.Select(text => string.Join(',', text.Inputs[^1].data<long>().ToArray())).Distinct().Count() > 1);
        var empty = _pipeline.Prompts.Encode([string.Empty], 8);
        var dropped = texts.First(text => batches.Load(texts.IndexOf(text), 0) is var batch && Same(batch.Text.Embeddings(), empty));
        Assert.Equal(4, dropped.Embeddings().Rows);

        static bool Same(PromptEmbeddings rows, PromptEmbeddings one) =>
            GoldenAssert.RelativeError(one.PromptEmbeds[0], rows.PromptEmbeds[0]) < 1e-5;
    }

    [Theory]
    [InlineData(0.5, false, true)]
    [InlineData(0.5, true, true)]
    [InlineData(0, true, false)]
    public void Train_CutShort_EndsAsAnUninterruptedRun(double dropout, bool augment, bool trainText)
    {
        DreamBoothConfig Of(string run) => Config(run) with
        {
            CaptionDropout = dropout,
            AugmentEachEpoch = augment,
            TrainTextEncoder = trainText,
            RandomFlip = true,
            CheckpointingSteps = 2,
        };
        TrainingSession.Train(Of("whole"), _pipeline);
        using (var session = TrainingSession.Prepare(Of("run"), _pipeline))
            session.Run(until: 3);
        TrainingSession.Train(Of("run") with { ResumeFromCheckpoint = TrainingCheckpoint.Latest }, _pipeline);
        var whole = File.ReadAllBytes(Path.Combine(_folder, "whole", LoraFile.DefaultName));
        Assert.Equal(whole, File.ReadAllBytes(Path.Combine(_folder, "run", LoraFile.DefaultName)));
        TrainingSession.Train(
            Of("plain") with { CaptionDropout = 0, AugmentEachEpoch = false }, _pipeline);
        Assert.NotEqual(whole, File.ReadAllBytes(Path.Combine(_folder, "plain", LoraFile.DefaultName)));
        var other = Of("run") with
        {
            ResumeFromCheckpoint = TrainingCheckpoint.Latest,
            CaptionDropout = dropout / 2,
            AugmentEachEpoch = !augment,
        };
        Assert.Contains(
            $"augment_each_epoch was {(augment ? "true" : "false")} and is {(augment ? "false" : "true")}",
            Assert.Throws<LabException>(() => TrainingSession.Train(other, _pipeline)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AugmentEachEpoch_EncodesTheCropOfTheUse()
    {
        var config = Config() with { AugmentEachEpoch = true, RandomFlip = true, TrainBatchSize = 3 };
        using var batches = Prepare(config);
        var dataset = DreamBoothDataset.Load(config.DatasetOptions());
        Assert.Equal(3, dataset.DistinctViews.Count);
        var uses = Enumerable.Range(0, 40).Select(epoch => dataset.Rows([2], epoch)[0].View).ToList();
        Assert.InRange(uses.Select(view => view.Crop).Distinct().Count(), 10, 40);
        Assert.InRange(uses.Count(view => view.Flip), 8, 32);

        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var rows = dataset.Rows(new BatchSampler(3, 3, 1).Epoch(5)[0], 5);
        using var pixels = PixelTensors.Stack([.. rows.Select(row => dataset.LoadPicture(row.View))]);
        var distribution = _pipeline.Vae.Encode(pixels);
        var drawn = _pipeline.Vae.UnscaleLatents(batches.Load(5, 0).Latents);
        var noise = (drawn - distribution.Mean) / (distribution.LogVariance * 0.5).exp();
        Assert.InRange(noise.mean().item<float>(), -0.1f, 0.1f);
        Assert.InRange(noise.std().item<float>(), 0.9f, 1.1f);
        GoldenAssert.Exact(batches.Load(5, 0).Latents, batches.Load(5, 0).Latents);
    }

    [Fact]
    public void Load_AugmentEachEpoch_LeavesNothingBehind()
    {
        using var batches = Prepare(Config() with { AugmentEachEpoch = true, WithPriorPreservation = false, ClassDataDir = null });
        batches.Load(0, 0).Latents.Dispose();
        Assert.Equal(3, LiveTensors.LeftBy(() => batches.Load(0, 1)));
    }

    [Fact]
    public void Forecast_AugmentEachEpoch_CountsTheEncoderInEveryStep()
    {
        var planner = new MemoryPlanner(ModelArchitecture.Sd35Medium);
        var settings = MemorySettings.TutorialTraining with { Memory = MemoryMode.Balanced };
        var (plain, drawn) = (planner.Forecast(settings), planner.Forecast(settings with { AugmentEachEpoch = true }));
        static PhaseForecast Phase(MemoryForecast forecast, string name) => forecast.Phases.Single(phase => phase.Phase == name);
        long Term(string phase, string name) => Phase(plain, phase).Terms.Single(term => term.Name == name).Bytes;
        Assert.Equal(
            Term("cache", "encoder activations") + Term("decode", "vae weights"),
            Phase(drawn, "step").Total - Phase(plain, "step").Total);
        Assert.Equal(Phase(plain, "decode").Total, Phase(drawn, "decode").Total);
    }

    [Fact]
    public void Notices_NothingThatIsDrawn_SaySo()
    {
        var config = Config() with { AugmentEachEpoch = true, CenterCrop = true };
        Assert.Contains("augment_each_epoch has no effect with center_crop and without random_flip: nothing is drawn.", config.Notices());
        Assert.Empty((config with { CenterCrop = false }).Notices());
    }

    [Theory]
    [InlineData("white", 255)]
    [InlineData("Black", 0)]
    [InlineData("#80ff80", 128)]
    public void LoadPicture_AlphaColor_IsSeenWhereAPictureIsTransparent(string colour, int red)
    {
        using var samples = new PictureSamples();
        using (var bitmap = new SkiaSharp.SKBitmap(40, 40, SkiaSharp.SKColorType.Rgba8888, SkiaSharp.SKAlphaType.Unpremul))
        {
            bitmap.Erase(new SkiaSharp.SKColor(10, 20, 30, 0));
            using var data = bitmap.Encode(SkiaSharp.SKEncodedImageFormat.Png, 100);
            File.WriteAllBytes(samples.PathOf("a.png"), data.ToArray());
        }

        var dataset = DreamBoothDataset.Load(
            (TinyTraining.Run(samples.Folder, _folder) with { AlphaColor = colour }).DatasetOptions());
        Assert.Equal((byte)red, dataset.LoadPicture(dataset.DistinctViews[0])[3, 3].Item1);
        var name = colour == "white" ? "white" : red == 0 ? "#000000" : "#80FF80";
        Assert.Contains($"{name} is trained on", DatasetReport.OfInstances(dataset).Warnings[0], StringComparison.Ordinal);
        var error = Assert.Throws<LabException>(() => (Config() with { AlphaColor = "rot" }).Validate());
        Assert.Contains("alpha_color is 'rot'; valid is white, gray, black", error.Message, StringComparison.Ordinal);
    }
}
