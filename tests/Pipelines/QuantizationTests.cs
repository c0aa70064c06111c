using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class QuantizationTests : IDisposable
{
    private static readonly GenerationRequest Small = new()
    {
        Prompts = ["a photo of a cat"],
        NumInferenceSteps = 4,
        Height = 16,
        Width = 32,
        Seed = 7,
        MaxSequenceLength = 8,
    };

    private readonly DisposeScope _scope;

    public QuantizationTests()
    {
        TorchLibraries.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Denoise_Fp8_IsNearTheExactLatents()
    {
        using var exact = TinyPipeline.Load();
        using var pipeline = TinyPipeline.Load(Quantization.Fp8);
        Assert.InRange(GoldenAssert.RelativeError(pipeline.Denoise(Small), exact.Denoise(Small)), 1e-4, 5e-2);
    }

    [Theory]
    [InlineData(MemoryMode.Balanced, false, 0)]
    [InlineData(MemoryMode.Low, true, 0)]
    [InlineData(MemoryMode.Low, true, 1)]
    public void Denoise_Fp8InEveryMemoryMode_IsTheSameBitByBit(MemoryMode memory, bool streamed, int resident)
    {
        using var whole = TinyPipeline.Load(Quantization.Fp8);
        using var parts = StableDiffusion3Pipeline.Load(TinyPipeline.Folder, new PipelineOptions
        {
            TokenizersFolder = TinyTokenizers.Root,
            Quantization = Quantization.Fp8,
            Memory = memory,
            StreamTransformer = streamed,
            ResidentBlocks = resident,
        });
        Assert.Equal(whole.Denoise(Small).data<float>().ToArray(), parts.Denoise(Small).data<float>().ToArray());
    }

    [Fact]
    public void Load_Fp8_HoldsTheBlocksProductsInABytePerNumber()
    {
        using var pipeline = TinyPipeline.Load(Quantization.Fp8);
        foreach (var (name, parameter) in pipeline.Transformer.named_parameters())
        {
            var small = SD3Transformer2DModel.IsQuantizable(name) && name.EndsWith(".weight", StringComparison.Ordinal)
                && parameter.dim() == 2;
            Assert.True(parameter.element_size() == (small ? 1 : 4), name);
        }

        Assert.False(SD3Transformer2DModel.IsQuantizable("transformer_blocks.0.norm1.linear"));
        Assert.False(SD3Transformer2DModel.IsQuantizable("context_embedder"));
        Assert.True(SD3Transformer2DModel.IsQuantizable("transformer_blocks.1.attn.to_out.0"));
    }

    [Fact]
    public void Forecast_Fp8_IsWhatThePipelineHolds()
    {
        using var pipeline = TinyPipeline.Load(Quantization.Fp8);
        var settings = MemorySettings.TutorialInference with { Quantization = Quantization.Fp8 };
        var term = Weights(settings);
        var scales = pipeline.Transformer.named_parameters()
            .Where(entry => entry.parameter.element_size() == 1).Sum(entry => entry.parameter.shape[0] * sizeof(float));
        Assert.Equal(pipeline.Parts[0].Bytes + scales, term.Bytes);
        Assert.Contains("fp8", term.How, StringComparison.Ordinal);
        var streamed = settings with { Memory = MemoryMode.Low, StreamTransformer = true };
        Assert.InRange(Weights(streamed).Bytes, 1, Weights(streamed with { Quantization = Quantization.None }).Bytes - 1);
        var training = Assert.Throws<LabException>((MemorySettings.TutorialTraining with { Quantization = Quantization.Fp8 }).Validate);
        Assert.Contains("quantization is fp8, which is for generation", training.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RecordOf_Fp8_SaysItAndIsAnotherPicture()
    {
        var options = new PipelineOptions();
        var exact = PictureRecord.Of(Small, null, options, []);
        var record = PictureRecord.Of(Small, null, options with { Quantization = Quantization.Fp8 }, []);
        Assert.Null(exact.Quantization);
        Assert.NotEqual(exact.Key, record.Key);
        Assert.Equal("fp8", PictureRecord.Read(record.ToNote())!.Quantization);
        Assert.Null(PictureRecord.Read((record with { Quantization = "fp3" }).ToNote()));
        Assert.Equal(Quantization.Fp8, GenerateConfig.Flags.ReadJson("""{"quantization": "fp8"}""", "the recipe").Single().Value);
    }

    private static MemoryTerm Weights(MemorySettings settings) =>
        new MemoryPlanner(ModelArchitecture.Read(TinyPipeline.Folder)).Forecast(settings).Phases[0].Terms[0];
}
