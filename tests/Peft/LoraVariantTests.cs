using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

/// <summary>
/// Adapters that the reference wrote, from the second golden set: <c>LAB_GOLDEN_2</c>, else <c>../shared/golden_2</c> beside the
/// repository.
/// </summary>
[Trait("Category", "Parity")]
public sealed class LoraVariantTests
{
    private const double Tolerance = 2e-5;

    private static string Variants { get; } = Path.Combine(GoldenSet.Second.Path, "lora_variants");

    [Theory]
    [InlineData("alpha16_r4", "tiny-sd35m")]
    [InlineData("patterns", "tiny-sd35m")]
    [InlineData("attn2_r4", "tiny-sd35m")]
    [InlineData("all_linear_r2", "tiny-sd35m")]
    [InlineData("plain_sd3m_r3_a6", "tiny-sd3m")]
    public void Load_ReferenceAdapter_GivesItsOutputs(string name, string model)
    {
        using var pipeline = Load(model);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var inputs = SafetensorsFile.Open(Path.Combine(Variants, $"inputs.{model}.safetensors"));
        using var expected = SafetensorsFile.Open(Path.Combine(Variants, $"{name}.safetensors"));
        var report = pipeline.LoadLora(Path.Combine(Variants, name));
        Assert.Equal((report.FileTensors, 0), (report.MatchedTensors, report.Warnings.Count));
        foreach (var (key, weight) in new[] { ("output", 1.0), ("output.scale0.5", 0.5) })
        {
            pipeline.Adapters[0].Weight = weight;
            var output = pipeline.Transformer.forward(
                inputs.Load("forward.hidden_states"), inputs.Load("forward.timestep"),
                inputs.Load("forward.encoder_hidden_states"), inputs.Load("forward.pooled_projections"));
            if (expected.Tensors.ContainsKey(key))
                GoldenAssert.Close(expected.Load(key), output, Tolerance, $"{name}: {key}");
        }
    }

    [Theory]
    [InlineData("rslora_r4_a8", "use_rslora")]
    [InlineData("dora_r4_a8", "is a DoRA: it holds magnitudes")]
    [InlineData("dora_rslora_attn2_r2", "is a DoRA: it holds magnitudes")]
    [InlineData("loha_r3_a6", "this is no LoRA but LOHA")]
    [InlineData("lokr_both_factor4", "this is no LoRA but LOKR")]
    [InlineData("kohya/tiny-sd35m.default.safetensors", "Stable Diffusion 3 in sd-scripts' (kohya) layout")]
    [InlineData("kohya/tiny-sd35m.from_diffusers.safetensors", "sd-scripts' (kohya) layout")]
    [InlineData("comfyui/tiny-sd35m.lora_AB.safetensors", "the original layout of Stable Diffusion 3, as ComfyUI's")]
    [InlineData("comfyui/tiny-sd35m.lora_down_up_alpha.safetensors", "the original layout of Stable Diffusion 3, as ComfyUI's")]
    [InlineData("original_layout/tiny-sd35m.safetensors", "weights of a whole model")]
    public void Load_KindThatIsNotKnownYet_IsRefusedByName(string name, string message)
    {
        using var pipeline = Load("tiny-sd35m");
        var error = Assert.Throws<LabException>(() => pipeline.LoadLora(Path.Combine(Variants, name)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static StableDiffusion3Pipeline Load(string model)
    {
        var folder = GoldenSet.PathOf("pipelines", model);
        Assert.SkipUnless(Directory.Exists(Variants) && Directory.Exists(folder), "the second golden set is not here");
        return StableDiffusion3Pipeline.Load(folder, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root, WithT5 = false });
    }
}
