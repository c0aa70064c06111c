using Dreambooth.Lab.Data;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class DreamBoothBatchesTests : IDisposable
{
    private const string InstancePrompt = "a photo of gmc cat", ClassPrompt = "the moon over the sea";

    private readonly PictureSamples _instances = new();
    private readonly PictureSamples _classes = new();
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load();
    private readonly DisposeScope _scope = NewDisposeScope();

    public DreamBoothBatchesTests()
    {
        for (var i = 0; i < 3; i++)
        {
            _instances.Add($"{i}.png", seed: i);
            _classes.Add($"{i}.png", seed: 10 + i);
        }
    }

    public void Dispose()
    {
        _scope.Dispose();
        _pipeline.Dispose();
        _instances.Dispose();
        _classes.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_PriorPreservation_PairsEachHalfWithItsOwnText(bool trainText)
    {
        using var batches = Prepare(Config(trainText));
        using var noGradients = no_grad();
        var instance = _pipeline.Prompts.Encode([InstancePrompt], 8);
        var ofClass = _pipeline.Prompts.Encode([ClassPrompt], 8);
        Assert.Equal(2, batches.BatchesPerEpoch);
        for (var index = 0; index < 2; index++)
        {
            var batch = batches.Load(0, index);
            var half = batch.Latents.shape[0] / 2;
            Assert.Equal([2 * half, 16, 4, 4], batch.Latents.shape);
            var text = batch.Text.Embeddings();
            Assert.Equal(2 * half, text.Rows);
            for (var row = 0; row < 2 * half; row++)
            {
                var expected = row < half ? instance : ofClass;
                GoldenAssert.Close(expected.PromptEmbeds[0], text.PromptEmbeds[row], 1e-5, $"text of row {row}");
                GoldenAssert.Close(expected.PooledPromptEmbeds[0], text.PooledPromptEmbeds[row], 1e-5, $"pooled text of row {row}");
            }
        }
    }

    [Fact]
    public void Load_TrainedEncoders_GiveTheTextGradients()
    {
        using var batches = Prepare(Config(trainText: true));
        using var adapter = Dreambooth.Lab.Peft.LoraAdapter.Create(
            "a", [(_pipeline.LoraComponents[1], new() { TargetModules = ["q_proj"] })], 0, CPU, ScalarType.Float32);
        Assert.True(batches.Load(0, 0).Text.Embeddings().PromptEmbeds.requires_grad);
        using var frozen = Prepare(Config(trainText: false));
        Assert.False(frozen.Load(0, 0).Text.Embeddings().PromptEmbeds.requires_grad);
    }

    [Fact]
    public void Load_Latents_AreScaledDrawsAroundTheEncodedPictures()
    {
        var config = Config(trainText: false) with { TrainBatchSize = 3 };
        using var batches = Prepare(config);
        using var noGradients = no_grad();
        var dataset = Dataset(config);
        var rows = dataset.Rows(new BatchSampler(3, 3, 1).Epoch(0)[0], 0);
        using var pixels = PixelTensors.Stack([.. rows.Select(row => dataset.LoadPicture(row.View))]);
        var distribution = _pipeline.Vae.Encode(pixels);
        var drawn = _pipeline.Vae.UnscaleLatents(batches.Load(0, 0).Latents);
        var noise = (drawn - distribution.Mean) / (distribution.LogVariance * 0.5).exp();
        Assert.InRange(noise.mean().item<float>(), -0.1f, 0.1f);
        Assert.InRange(noise.std().item<float>(), 0.9f, 1.1f);
    }

    [Fact]
    public void Load_SameEpochAndIndex_GivesTheSameBatchAndOtherEpochsOthers()
    {
        using var batches = Prepare(Config(trainText: false));
        using var again = Prepare(Config(trainText: false));
        GoldenAssert.Exact(batches.Load(1, 1).Latents, again.Load(1, 1).Latents);
        Assert.True(GoldenAssert.RelativeError(batches.Load(0, 0).Latents, batches.Load(1, 0).Latents) > 1e-3);
    }

    [Fact]
    public void Load_EachBatch_LeavesItsLatentsIdsTextAndRowsAlone()
    {
        using var batches = Prepare(Config(trainText: true));
        Assert.Equal(5, LiveTensors.LeftBy(() => batches.Load(0, 0)));
    }

    [Fact]
    public void Prepare_Cancelled_Throws()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var config = Config(trainText: false);
        Assert.Throws<OperationCanceledException>(
            () => DreamBoothBatches.Prepare(Dataset(config), _pipeline, config, 1, cancellation: source.Token));
    }

    private DreamBoothBatches Prepare(DreamBoothConfig config) => DreamBoothBatches.Prepare(Dataset(config), _pipeline, config, 1);

    private static DreamBoothDataset Dataset(DreamBoothConfig config) => DreamBoothDataset.Load(new DreamBoothDatasetOptions
    {
        InstanceDataDir = config.InstanceDataDir,
        InstancePrompt = config.InstancePrompt,
        ClassDataDir = config.ClassDataDir,
        ClassPrompt = config.ClassPrompt,
        Resolution = config.Resolution,
        Seed = 1,
    });

    private DreamBoothConfig Config(bool trainText) => new()
    {
        PretrainedModelNameOrPath = TinyPipeline.Folder,
        InstanceDataDir = _instances.Folder,
        InstancePrompt = InstancePrompt,
        WithPriorPreservation = true,
        ClassDataDir = _classes.Folder,
        ClassPrompt = ClassPrompt,
        Resolution = 32,
        MaxSequenceLength = 8,
        TrainBatchSize = 2,
        TrainTextEncoder = trainText,
    };
}
