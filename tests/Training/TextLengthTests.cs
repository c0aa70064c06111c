using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>T5's text alone may be longer than CLIP's window, in training and in generation.</summary>
public sealed class TextLengthTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly TemporaryFolder _tokenizers = new();
    private readonly StableDiffusion3Pipeline _pipeline;
    private readonly string _long;

    public TextLengthTests()
    {
        _pictures.AddMany(1);
        foreach (var file in Directory.EnumerateFiles(TinyTokenizers.Root, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(_tokenizers.Path, Path.GetRelativePath(TinyTokenizers.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        // The committed T5 tokenizer's window is 32, the published one's 512.
        var config = Path.Combine(_tokenizers.Path, "tokenizer_3", "tokenizer_config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"model_max_length\": 32", "\"model_max_length\": 512"));
        _pipeline = StableDiffusion3Pipeline.Load(TinyPipeline.Folder, new PipelineOptions { TokenizersFolder = _tokenizers.Path });
        _long = "a";
        while (_pipeline.Prompts.Tokenizer3!.Encode(_long).Count <= 90)
            _long += " a";
    }

    public void Dispose()
    {
        _pipeline.Dispose();
        _pictures.Dispose();
        _tokenizers.Dispose();
    }

    [Theory]
    [InlineData(77)]
    [InlineData(128)]
    [InlineData(256)]
    public void Load_TextOfALength_HasAsManyRowsOfT5AndTheSameAsGeneration(int length)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var expected = _pipeline.Prompts.Encode([_long], length);
        var text = Text(_long, length);
        Assert.Equal(_pipeline.Prompts.ClipWindow + length, text.PromptEmbeds.shape[1]);
        GoldenAssert.Exact(expected.PromptEmbeds, text.PromptEmbeds, "text");
    }

    [Fact]
    public void Load_WordsBehindTheWindow_CountOnlyWhereItReachesThem()
    {
        using var scope = NewDisposeScope();
        Tensor Difference(int length) => (Text(_long, length).PromptEmbeds - Text(_long + " cat", length).PromptEmbeds).abs().max();
        Assert.Equal(0, Difference(77).item<float>());
        Assert.True(Difference(128).item<float>() > 1e-4);
    }

    [Fact]
    public void Generate_WordsBehindTheWindow_CountOnlyWhereItReachesThem()
    {
        byte[] Picture(string prompt, int length) => _pipeline.Generate(new GenerationRequest
        {
            Prompts = [prompt],
            NumInferenceSteps = 2,
            Height = 16,
            Width = 16,
            Seed = 1,
            MaxSequenceLength = length,
        })[0].Pixels.ToArray();
        Assert.Equal(Picture(_long, 77), Picture(_long + " cat", 77));
        Assert.NotEqual(Picture(_long, 128), Picture(_long + " cat", 128));
    }

    [Fact]
    public void Train_TextOf256_TakesFiniteSteps()
    {
        var config = Config(_long, 256) with { MaxTrainSteps = 2 };
        using var output = new TemporaryFolder();
        var losses = new List<double>();
        TrainingSession.Train(
            config with { OutputDir = output.Path }, _pipeline, new TrainingEvents { OnStep = step => losses.Add(step.Loss) });
        Assert.Equal(2, losses.Count);
        Assert.All(losses, loss => Assert.True(double.IsFinite(loss) && loss > 0));
    }

    private PromptEmbeddings Text(string prompt, int length)
    {
        var config = Config(prompt, length);
        using var batches = DreamBoothBatches.Prepare(TrainingSession.ReadInstances(config, null), _pipeline, config, 1);
        return batches.Load(0, 0).Text.Embeddings();
    }

    private DreamBoothConfig Config(string prompt, int length) => TinyTraining.Run(_pictures.Folder, "unused") with
    {
        InstancePrompt = prompt,
        MaxSequenceLength = length,
    };
}
