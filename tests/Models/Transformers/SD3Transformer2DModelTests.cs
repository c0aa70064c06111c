using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Transformers;

[Trait("Category", "Parity")]
public sealed class SD3Transformer2DModelTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<GoldenCase> Forwards => GoldenSet.Cases("transformer", file => file.Has("output"));

    public static TheoryData<GoldenCase> PositionTables => GoldenSet.Cases("transformer", file => file.Has("pos_embed"));

    public static TheoryData<GoldenCase> Modules => GoldenSet.Cases("transformer", file => file.Has("attn.image"));

    [Theory]
    [MemberData(nameof(Forwards))]
    public void Forward_GoldenInputs_EqualsTheReferenceAtEveryStage(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = SD3Transformer2DModel.Load(
            Path.Combine(golden.PipelineFolder, "transformer"), TestDevice.Device, ScalarType.Float32);
        Tensor latents = golden.Load("hidden_states").Here(), timestep = golden.Load("timestep").Here();
        Tensor text = golden.Load("encoder_hidden_states").Here(), pooled = golden.Load("pooled_projections").Here();

        GoldenAssert.Close(
            golden.Load("time_proj"), Dreambooth.Lab.Layers.CombinedTimestepTextProjEmbeddings.Sinusoids(timestep), Tolerance, "time_proj");
        var image = model.PosEmbed.call(latents);
        GoldenAssert.Close(golden.Load("mid.patch_embed"), image, Tolerance, "patch_embed");
        var conditioning = model.TimeTextEmbed.call(timestep, pooled);
        GoldenAssert.Close(golden.Load("mid.temb"), conditioning, Tolerance, "temb");
        Tensor? tokens = model.ContextEmbedder.call(text);
        GoldenAssert.Close(golden.Load("mid.context_embed"), tokens, Tolerance, "context_embed");
        for (var i = 0; i < model.TransformerBlocks.Count; i++)
        {
            (image, tokens) = model.TransformerBlocks[i].call(image, tokens!, conditioning);
            GoldenAssert.Close(golden.Load($"mid.block.{i}.hidden_states"), image, Tolerance, $"block {i}, image");
            if (tokens is not null)
                GoldenAssert.Close(golden.Load($"mid.block.{i}.encoder_hidden_states"), tokens, Tolerance, $"block {i}, text");
        }

        Assert.Null(tokens);
        GoldenAssert.Close(golden.Load("mid.norm_out"), model.NormOut.call(image, conditioning), Tolerance, "norm_out");
        GoldenAssert.Close(golden.Load("output"), model.forward(latents, timestep, text, pooled), Tolerance, "output");
        foreach (var key in golden.Entry.Keys.Keys.Where(key => key.StartsWith("output.skip_layers_", StringComparison.Ordinal)))
        {
            var skipped = key["output.skip_layers_".Length..].Split('_').Select(int.Parse).ToArray();
            GoldenAssert.Close(golden.Load(key), model.forward(latents, timestep, text, pooled, skipped), Tolerance, key);
        }
    }

    [Theory]
    [MemberData(nameof(PositionTables))]
    public void CroppedPositions_AnyAspectRatio_EqualsTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var model = SD3Transformer2DModel.Load(
            Path.Combine(golden.PipelineFolder, "transformer"), TestDevice.Device, ScalarType.Float32);
        GoldenAssert.Exact(golden.Load("pos_embed"), model.PosEmbed.Positions, "pos_embed");
        var crops = golden.Entry.Keys.Keys.Where(key => key.StartsWith("crop_", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(crops);
        foreach (var key in crops)
        {
            var sides = key["crop_".Length..].Split('x').Select(long.Parse).ToArray();
            GoldenAssert.Exact(golden.Load(key), model.PosEmbed.CroppedPositions(sides[0], sides[1]), key);
        }
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Modules_OfTheFirstAndTheLastBlock_EqualTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = SD3Transformer2DModel.Load(
            Path.Combine(golden.PipelineFolder, "transformer"), TestDevice.Device, ScalarType.Float32);
        JointTransformerBlock first = model.TransformerBlocks[0], last = model.TransformerBlocks[model.TransformerBlocks.Count - 1];
        Tensor x = golden.Load("x").Here(), text = golden.Load("e").Here(), conditioning = golden.Load("temb").Here();

        var joint = first.Attn.call(x, text);
        GoldenAssert.Close(golden.Load("attn.image"), joint.Image, Tolerance, "attn, image");
        GoldenAssert.Close(golden.Load("attn.text"), joint.Text!, Tolerance, "attn, text");
        joint = last.Attn.call(x, text);
        GoldenAssert.Close(golden.Load("last.attn.image"), joint.Image, Tolerance, "last attn, image");
        GoldenAssert.Close(golden.Load("last.attn.text"), joint.Text!, Tolerance, "last attn, text");
        GoldenAssert.Close(golden.Load("ff"), first.Ff.call(x), Tolerance, "ff");
        Assert.Equal(golden.Has("attn2"), first.Attn2 is not null);
        if (first.Attn2 is not null)
            GoldenAssert.Close(golden.Load("attn2"), first.Attn2.call(x, null).Image, Tolerance, "attn2");

        var norm = first.Norm1.call(x, conditioning);
        Tensor?[] outputs =
            [norm.Attention, norm.AttentionGate, norm.FeedForwardShift, norm.FeedForwardScale, norm.FeedForwardGate, norm.SecondAttention,
                norm.SecondAttentionGate];
        for (var i = 0; i < outputs.Length; i++)
        {
            Assert.Equal(golden.Has($"block0.norm1.{i}"), outputs[i] is not null);
            if (outputs[i] is { } output)
                GoldenAssert.Close(golden.Load($"block0.norm1.{i}"), output, Tolerance, $"norm1.{i}");
        }

        var lastNorm = (Dreambooth.Lab.Layers.AdaLayerNormContinuous)last.Norm1Context;
        GoldenAssert.Close(golden.Load("last.norm1_context"), lastNorm.call(x, conditioning), Tolerance, "last norm1_context");
    }
}
