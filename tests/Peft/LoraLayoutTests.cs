using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraLayoutTests : IDisposable
{
    private const string Layer = WrittenLora.Layer;

    private readonly WrittenLora _lora = new();

    public void Dispose() => _lora.Dispose();

    [Theory]
    [InlineData("transformer.transformer_blocks.0.attn.to_q.lora_magnitude_vector")]
    [InlineData("transformer.transformer_blocks.0.attn.to_q.lora_magnitude_vector.default.weight")]
    [InlineData("lora_unet_joint_blocks_0_x_block_attn_qkv.dora_scale")]
    public void Load_Magnitudes_AreRefusedByName(string name) => _lora.Refused(
        $"is a DoRA: it holds magnitudes, such as {name}",
        _lora.Write([.. _lora.Pair(Layer), (name, ones(_lora.Width))]));

    [Theory]
    [InlineData("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight", "Stable Diffusion 3 in sd-scripts' (kohya) layout")]
    [InlineData("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", "a text encoder's LoRA in sd-scripts' (kohya) layout")]
    [InlineData("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", "FLUX, another model")]
    [InlineData("lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", "Stable Diffusion 1, 2 or XL, another model")]
    [InlineData("lora_transformer_transformer_blocks_0_attn_to_q.lora_down.weight", "OneTrainer's layout")]
    [InlineData("lycoris_joint_blocks_0_x_block_attn_qkv.lora_down.weight", "LyCORIS' layout")]
    [InlineData("transformer.transformer_blocks.0.attn.to_q.hada_w1_a", "LoHa")]
    [InlineData("lycoris_joint_blocks_0_x_block_attn_qkv.lokr_w1", "LoKr")]
    [InlineData("joint_blocks.0.x_block.attn.qkv.weight", "weights of a whole model")]
    [InlineData("exp_avg", "an optimizer's state")]
    [InlineData("clip_g", "an embedding (textual inversion)")]
    [InlineData("gibberish", "none of its 1 tensors is part of a LoRA")]
    public void Load_FileOfAnotherLayout_SaysWhich(string name, string layout)
    {
        var path = _lora.Write((name, ones(2, 2)));
        _lora.Refused(layout, path);
        _lora.Refused($"keys l{(name == "gibberish" ? "ook like" : "ike")} {name}", path);
    }

    [Fact]
    public void Load_PairsOfTheOriginalLayout_SaysSo() => _lora.Refused(
        "the original layout of Stable Diffusion 3, as ComfyUI's trainers write it",
        _lora.Write(
            ("diffusion_model.joint_blocks.0.x_block.attn.qkv.lora_A.weight", ones(2, 4)),
            ("diffusion_model.joint_blocks.0.x_block.attn.qkv.lora_B.weight", ones(4, 2))));

    [Fact]
    public void Load_NoTensors_SaysSo() => _lora.Refused("it holds no tensors", _lora.Write());

    [Fact]
    public void Load_PartsOfOtherLayouts_AreCountedAndNamedInAWarning()
    {
        var warnings = new List<string>();
        _lora.Pipeline.Prompts.Warn = warnings.Add;
        var report = _lora.Load(_lora.Write(
        [
            .. _lora.Pair(Layer), ($"transformer.{Layer}.lora_B.bias", ones(_lora.Width)),
            ("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", ones(2, 2)),
            ("lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha", ones([])),
            ("proj_out.weight", ones(2)),
        ]));
        Assert.Equal((6, 2), (report.FileTensors, report.MatchedTensors));
        Assert.Equal(4, report.UnmatchedKeys.Count);
        Assert.StartsWith(
            "2 of 6 tensors matched (transformer: 1 layers); not used: lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight, ",
            report.ToString(), StringComparison.Ordinal);
        var warning = Assert.Single(warnings);
        Assert.Equal(report.Warnings, warnings);
        Assert.Contains("4 of its 6 tensors are not used", warning, StringComparison.Ordinal);
        Assert.Contains(
            "a text encoder's LoRA in sd-scripts' (kohya) layout: lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_down.weight, lora_te2_",
            warning, StringComparison.Ordinal);
        Assert.Contains($"biases of updates (PEFT's lora_bias): transformer.{Layer}.lora_B.bias", warning, StringComparison.Ordinal);
        Assert.Contains("no part of a LoRA: proj_out.weight", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_EveryTensorUsed_WarnsOfNothing()
    {
        _lora.Pipeline.Prompts.Warn = message => Assert.Fail(message);
        Assert.Empty(_lora.Load(_lora.Write(_lora.Pair(Layer))).Warnings);
    }
}
