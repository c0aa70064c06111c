using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class GuidanceConfigTests : IDisposable
{
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load(withT5: false);
    private readonly IDisposable _scope = NewDisposeScope();
    private int _rows;

    private static GenerationRequest Small { get; } = new()
    {
        Prompts = ["a photo of gmc cat"],
        NumInferenceSteps = 4,
        GuidanceScale = 3,
        Height = 16,
        Width = 16,
        MaxSequenceLength = 8,
    };

    public void Dispose()
    {
        _scope.Dispose();
        _pipeline.Dispose();
    }

    [Theory]
    [InlineData(0, 1, new[] { true, true, true, true })]
    [InlineData(0.25, 0.75, new[] { false, true, true, false })]
    [InlineData(0.3, 0.7, new[] { false, true, false, false })]
    [InlineData(0, 0, new[] { false, false, false, false })]
    public void GuidesAt_Fractions_AreCountedAsTheReferencesGuidersDo(double start, double end, bool[] expected)
    {
        var config = new GuidanceConfig { Start = start, End = end };
        Assert.Equal(expected, Enumerable.Range(0, 4).Select(call => config.GuidesAt(call, 4)));
    }

    [Fact]
    public void Denoise_AnInterval_GuidesThereAndSavesTheRest()
    {
        var guided = Run(new());
        Assert.Equal(8, _rows);
        Assert.True(GoldenAssert.RelativeError(guided, Run(new() { Start = 0.25, End = 0.75 })) > 1e-4);
        Assert.Equal(6, _rows);
        var off = Run(new() { End = 0 });
        Assert.Equal(4, _rows);
        GoldenAssert.Exact(_pipeline.Denoise(Small with { GuidanceScale = 1 }), off);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Denoise_PerturbedLayers_GoAwayFromAThirdPrediction(double guidance)
    {
        // Of one token alone, as in a picture of 16 × 16 pixels, nothing is perturbed.
        var request = Small with { GuidanceScale = guidance, Height = 32, Width = 32 };
        var plain = _pipeline.Denoise(request);
        Tensor With(string layers, double scale) =>
            _pipeline.Denoise(request with { Guidance = new() { PerturbedLayers = layers, PerturbedScale = scale } });
        GoldenAssert.Close(plain, With("1", 0), 1e-6);
        var (one, two) = (With("1", 1), With("1", 2));
        Assert.True(GoldenAssert.RelativeError(plain, one) > 1e-6);
        Assert.True(GoldenAssert.RelativeError(one, two) > 1e-6);
        Assert.True(GoldenAssert.RelativeError(one, With("1,2", 1)) > 1e-7);
        GoldenAssert.Exact(plain, _pipeline.Denoise(request));
        var error = Assert.Throws<LabException>(() => With("1,9", 1));
        Assert.Contains("perturbed_layers is 1, 9; this transformer's blocks are 0 to", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_ZeroStar_IsItsFormula()
    {
        var (conditional, unconditional) = Predictions();
        var scale = (conditional * unconditional).sum() / (unconditional * unconditional).sum();
        var expected = (unconditional * scale) + ((conditional - (unconditional * scale)) * 3);
        GoldenAssert.Close(expected, Predict(new() { ZeroStar = true }, step: 1), 1e-5);
        Assert.Equal(0, Predict(new() { ZeroStar = true }, step: 0).abs().max().item<float>());
        GoldenAssert.Close(expected, Predict(new() { ZeroStar = true, ZeroSteps = 0 }, step: 0), 1e-5);
        Run(new() { ZeroStar = true });
        Assert.Equal(6, _rows);
    }

    [Fact]
    public void Predict_Rescale_HasThePromptsDeviation()
    {
        var (conditional, unconditional) = Predictions();
        var guided = unconditional + ((conditional - unconditional) * 3);
        var whole = guided * (conditional.std() / guided.std());
        GoldenAssert.Close(whole, Predict(new() { Rescale = 1 }, step: 0), 1e-5);
        GoldenAssert.Close((whole * 0.7) + (guided * 0.3), Predict(new() { Rescale = 0.7 }, step: 0), 1e-5);
    }

    [Fact]
    public void Validate_OutOfRange_NamesEveryValue()
    {
        var error = Assert.Throws<LabException>(
            () => new GuidanceConfig { Start = 0.6, End = 0.5, Rescale = double.NaN, ZeroSteps = -1 }.Validate());
        Assert.Equal(
            "The guidance is not valid: guidance goes from 0.6 to 0.5; both are fractions of the steps, 0 to 1, the start not behind the "
            + "end; guidance_rescale is NaN; 0 to 1 is valid; zero_steps is -1; 0 or more is valid.",
            error.Message);
        var cached = Small with { CacheInterval = 2, Guidance = new() { End = 0.5 } };
        Assert.Contains("cache_interval is 2", Assert.Throws<LabException>(cached.Validate).Message, StringComparison.Ordinal);
        Assert.Contains(
            "guidance_rescale is 2", Assert.Throws<LabException>(() => Run(new() { Rescale = 2 })).Message, StringComparison.Ordinal);
    }

    private Tensor Run(GuidanceConfig guidance)
    {
        _rows = 0;
        var attention = _pipeline.Transformer.TransformerBlocks[0].Attn;
        void Count(Tensor query, Tensor key, long image) => _rows += (int)query.shape[0];
        attention.HeadsObserver += Count;
        try
        {
            return _pipeline.Denoise(Small with { Guidance = guidance });
        }
        finally
        {
            attention.HeadsObserver -= Count;
        }
    }

    private static Tensor Latents { get; } = SeededNoise.Normal([1, 16, 2, 2], 1).DetachFromDisposeScope();

    private Tensor Predict(GuidanceConfig guidance, int step)
    {
        using var noGradients = no_grad();
        var (positive, negative) = (_pipeline.Prompts.Encode(Small.Prompts, 8), _pipeline.Prompts.Encode([string.Empty], 8));
        using var denoiser = new GuidedDenoiser(_pipeline.Transformer, Small with { Guidance = guidance }, positive, negative);
        return denoiser.Predict(Latents, 700, step);
    }

    private (Tensor Conditional, Tensor Unconditional) Predictions()
    {
        using var noGradients = no_grad();
        return (Of(Small.Prompts[0]), Of(string.Empty));

        Tensor Of(string text)
        {
            var embeddings = _pipeline.Prompts.Encode([text], 8);
            return _pipeline.Transformer.forward(Latents, full([1], 700f), embeddings.PromptEmbeds, embeddings.PooledPromptEmbeds);
        }
    }
}
