using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Golden values are sd-scripts' own, from the second set; the tolerance is the set's.</summary>
public sealed class LossMasksTests
{
    private const double Tolerance = 1e-6;

    public static TheoryData<GoldenCase> Masked => GoldenSet.KeyCases("losses", @"^(?<case>l1|l2)\.masked_per_sample$");

    public static TheoryData<GoldenCase> Resized => GoldenSet.KeyCases("losses", @"^(?<case>mask\.(alpha|conditioning).*)\.latent$");

    [Theory]
    [MemberData(nameof(Resized))]
    [Trait("Category", "Parity")]
    public void Resize_GoldenMasks_AreThoseOfTheSource(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var expected = golden.Load("latent");
        var isAlpha = golden.Key!.Contains("alpha", StringComparison.Ordinal);
        var mask = GoldenSet.Load(golden.Folder, golden.File, isAlpha ? "mask.alpha" : "mask.conditioning");
        mask = isAlpha ? mask.unsqueeze(1) : (mask.narrow(1, 0, 1) / 2) + 0.5;
        GoldenAssert.Close(expected, LossMasks.Resize(mask, expected.shape[2], expected.shape[3]), Tolerance, golden.Key);
    }

    // The source multiplies and takes the mean over all elements: ours is divided by the mask's mean.
    [Theory]
    [MemberData(nameof(Masked))]
    [Trait("Category", "Parity")]
    public void Weights_GoldenLosses_AreTheSourcesOverTheMasksMean(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        Tensor Input(string key) => GoldenSet.Load(golden.Folder, golden.File, key);
        var error = Input("pred") - Input("target");
        var elements = golden.Key == "l2" ? error * error : error.abs();
        var masks = Input("mask.alpha").unsqueeze(1);
        for (var row = 0; row < masks.shape[0]; row++)
        {
            var (weights, share) = LossMasks.Weights(masks.narrow(0, row, 1), 10, 12, background: 0);
            var loss = (elements.narrow(0, row, 1) * weights).mean() * share;
            GoldenAssert.Close(golden.Load("masked_per_sample")[row], loss, Tolerance, $"row {row}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void Weights_AnyBackground_HaveMeanOneAndItsRatio(double background)
    {
        using var scope = NewDisposeScope();
        var mask = zeros(1, 1, 32, 48);
        mask.narrow(3, 0, 16).fill_(1);
        var (weights, share) = LossMasks.Weights(mask, 4, 6, background);
        Assert.Equal(1f / 3, share, 1e-6);
        Assert.Equal(1f, weights.mean().item<float>(), 1e-6);
        Assert.Equal(background, weights[0, 0, 0, 5].item<float>() / weights[0, 0, 0, 0].item<float>(), 1e-6);
    }

    [Fact]
    public void Weights_NothingMarked_AreZerosOrWithABackgroundOnes()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0f, LossMasks.Weights(zeros(1, 1, 16, 16), 2, 2, 0).Weights.abs().max().item<float>());
        GoldenAssert.Exact(ones(1, 1, 2, 2), LossMasks.Weights(zeros(1, 1, 16, 16), 2, 2, 0.5).Weights);
    }

    [Fact]
    public void Compute_Mask_IsTheMeanOverWhatItMarks()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var transformer = SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
        var schedule = FlowMatchEulerDiscreteSchedulerConfig.Read(
            Path.Combine(TinyPipeline.Folder, "scheduler", "scheduler_config.json"));
        using var objective = new FlowMatchingObjective(transformer, schedule) { PreconditionOutputs = false };
        var text = new PromptEmbeddings(SeededNoise.Normal([1, 3, 28], 100), SeededNoise.Normal([1, 24], 101));
        var latents = SeededNoise.Normal([1, 16, 4, 4], 1);
        var draw = new TrainingDraw(SeededNoise.Normal([1, 16, 4, 4], 2), tensor([300L]));
        var (timesteps, sigmas) = new FlowMatchEulerDiscreteScheduler(schedule).TrainTables(CPU);
        var sigma = sigmas[300].view(1, 1, 1, 1);
        var noisy = FlowMatchingObjective.Mix(latents, draw.Noise, sigma);
        var error = transformer.forward(noisy, timesteps[300].view(1), text.PromptEmbeds, text.PooledPromptEmbeds)
            - (draw.Noise - latents);

        var mask = zeros(1, 1, 32, 32);
        mask.narrow(2, 0, 8).fill_(1);
        var batch = new TrainingBatch(latents, text) { Mask = LossMasks.Weights(mask, 4, 4, 0).Weights };
        var marked = error.narrow(2, 0, 1);
        GoldenAssert.Close((marked * marked).mean(), objective.Compute(batch, draw).Total, 1e-6, "masked");
        var whole = objective.Compute(batch with { Mask = null }, draw).Total;
        GoldenAssert.Exact(whole, objective.Compute(batch with { Mask = ones(1, 1, 4, 4) }, draw).Total, "whole");
        GoldenAssert.Close((error * error).mean(), whole, 1e-6, "all");
    }
}
