using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class FiniteTraceTests
{
    private static GenerationRequest Request { get; } =
        new() { Prompts = ["a cat"], NumInferenceSteps = 3, Height = 32, Width = 32, GuidanceScale = 4 };

    [Theory]
    [InlineData("vae", "The pictures' pixels are not finite: the model is damaged, its weights in vae: ")]
    [InlineData("text_encoder", "The text's embeddings are not finite: the model is damaged, its weights in text_encoder: ")]
    [InlineData("transformer", "The latents after step 1 of 3 are not finite: the model is damaged, its weights in transformer: ")]
    public void Generate_ModelWithAWeightThatIsNoNumber_IsRefusedOnFirstUse(string name, string message)
    {
        using var pipeline = TinyPipeline.Load(withT5: false);
        Assert.Single(pipeline.Generate(Request));
        DamagedModel.Spoil(pipeline, name);
        Assert.StartsWith(message, Assert.Throws<NonFiniteException>(() => pipeline.Generate(Request)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_GuidanceBeyondFloat32_NamesTheStepAndTheGuidance()
    {
        using var pipeline = TinyPipeline.Load(withT5: false);
        var error = Assert.Throws<NonFiniteException>(() => pipeline.Generate(Request with { GuidanceScale = 1e308 }));
        Assert.Equal("The latents after step 1 of 3 are not finite: the guidance scale is 1E+308; 3 to 10 is usual.", error.Message);
    }

    [Fact]
    public void Generate_GivenLatentsThatAreNotFinite_AreNamed()
    {
        using var pipeline = TinyPipeline.Load(withT5: false);
        using var scope = NewDisposeScope();
        var error = Assert.Throws<NonFiniteException>(() => pipeline.Denoise(Request with { Latents = full([1, 16, 4, 4], float.NaN) }));
        Assert.StartsWith("The latents to begin with are not finite", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_SoundRequest_LeavesNoTensors()
    {
        using var pipeline = TinyPipeline.Load(withT5: false);
        Assert.Equal(0, LiveTensors.LeftBy(() => pipeline.Generate(Request)));
    }
}
