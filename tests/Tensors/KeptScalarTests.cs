using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Training;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class KeptScalarTests
{
    [Fact]
    public void Of_TheSameNumber_IsTheSameObject() => Assert.Same(KeptScalar.Of(0.25), KeptScalar.Of(0.25));

    [Fact]
    public void Generate_WhileGarbageIsCollected_DrawsTheSamePictures()
    {
        using var pipeline = TinyPipeline.Load();
        byte[] Generate() =>
            [.. pipeline.Generate(new GenerationRequest { Prompts = ["a cat"], NumInferenceSteps = 6, Height = 64, Width = 64, Seed = 1 })
                .SelectMany(picture => picture.Pixels.ToArray())];
        var expected = Generate();

        using var collector = new GarbageCollector();
        for (var i = 0; i < 6; i++)
            Assert.Equal(expected, Generate());
    }

    [Fact]
    public void NormsAndClipping_WhileGarbageIsCollected_GiveTheSameValues()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var norm = new RMSNorm(8, 1e-6, CPU, ScalarType.Float32);
        norm.Weight.fill_(2);
        var (tokens, vector) = (randn(1, 3, 8), randn(1, 8));
        Tensor Values()
        {
            var gradients = tokens.clone();
            GradientClipping.Clip(gradients, 0.5);
            return cat(
                [norm.call(tokens), AdaptiveNorm.GateAdd(tokens, vector, tokens), AdaptiveNorm.Modulate(tokens, (vector, vector))[0],
                    gradients]);
        }

        var expected = Values();

        using var collector = new GarbageCollector();
        for (var i = 0; i < 2000; i++)
        {
            using var inner = NewDisposeScope();
            GoldenAssert.Exact(expected, Values(), "values");
        }
    }

    [Fact]
    public void TrainingSteps_WhileGarbageIsCollected_GiveTheSameLossesAndWeights()
    {
        const int Steps = 40;
        var config = TinyTraining.Config with
        {
            MaxTrainSteps = Steps,
            WeightingScheme = WeightingScheme.Cosmap,
            WithPriorPreservation = true,
            ClassDataDir = "made up",
            ClassPrompt = "made up",
        };
        (float[] Weights, List<double> Losses) Train()
        {
            using var training = new TinyTraining();
            var losses = new List<double>();
            using var trainer = training.Trainer(config);
            trainer.Run(new TrainingEvents { OnStep = record => losses.AddRange([record.Loss, record.GradNorm]) });
            return (training.Weights, losses);
        }

        var expected = Train();

        using var collector = new GarbageCollector();
        for (var i = 0; i < 3; i++)
        {
            var (weights, losses) = Train();
            Assert.Equal(expected.Losses, losses);
            Assert.Equal(expected.Weights, weights);
        }
    }
}
