using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraLayoutTests : IDisposable
{
    private const string Layer = WrittenLora.Layer;

    private readonly WrittenLora _lora = new();

    public void Dispose() => _lora.Dispose();

    [Theory]
    [InlineData("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", "FLUX, another model")]
    [InlineData("lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", "Stable Diffusion 1, 2 or XL, another model")]
    [InlineData("lora_te3_encoder_block_0_layer_0_SelfAttention_q.lora_down.weight", "a text encoder's LoRA in sd-scripts' (kohya) layout")]
    [InlineData("base_model.model.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight", "which does not say of which encoder")]
    [InlineData("base_model.model.encoder.block.0.layer.0.SelfAttention.q.lora_A.weight", "which does not say of which encoder")]
    [InlineData("transformer.transformer_blocks.0.attn.to_q.oft_blocks", "OFT")]
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

    [Theory]
    [InlineData("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight", "only one of the two matrices of transformer." + Layer)]
    [InlineData("lora_te1_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", "of text_encoder.text_model.encoder.layers.0.mlp.fc1")]
    [InlineData("lora_transformer_transformer_blocks_0_attn_to_q.lora_down.weight", "only one of the two matrices of transformer." + Layer)]
    [InlineData("transformer.transformer_blocks.0.attn.to_q.lora_magnitude_vector", "only one of the two matrices of transformer." + Layer)]
    [InlineData("transformer.transformer_blocks.0.attn.to_q.hada_w1_a", "no hada_w1_b and hada_w2_a and hada_w2_b of transformer." + Layer)]
    [InlineData("lycoris_transformer_blocks_0_attn_to_q.lokr_w1", "no lokr_w2 of transformer." + Layer)]
    public void Load_APartOfAnUpdate_IsRefused(string name, string message) => _lora.Refused(message, _lora.Write((name, ones(2, 2))));

    [Theory]
    [InlineData("transformer.transformer_blocks.0.attn.to_q", LoraFileLayout.Diffusers)]
    [InlineData("base_model.model.transformer_blocks.0.attn.to_q", LoraFileLayout.Peft)]
    [InlineData("transformer_blocks.0.attn.to_q", LoraFileLayout.Peft)]
    [InlineData("lora_transformer_transformer_blocks_0_attn_to_q", LoraFileLayout.OneTrainer)]
    [InlineData("lycoris_transformer_blocks_0_attn_to_q", LoraFileLayout.Lycoris)]
    public void Load_EveryNameOfALayer_IsThatLayer(string name, LoraFileLayout layout)
    {
        var report = _lora.Load(_lora.Write(
            ($"{name}.lora_down.weight", ones(2, _lora.Width)), ($"{name}.lora_up.weight", ones(_lora.Width, 2)),
            ($"{name}.alpha", tensor(4f))));
        Assert.Equal((layout, 3, 3), (report.Layout, report.FileTensors, report.MatchedTensors));
        Assert.Equal([(Layer, 2.0)], _lora.Scales().Select(entry => (entry.Key, entry.Value)));
        Assert.Empty(report.Warnings);
    }

    [Theory]
    [InlineData("diffusion_model.joint_blocks.0.x_block.attn.qkv")]
    [InlineData("model.diffusion_model.joint_blocks.0.x_block.attn.qkv")]
    [InlineData("joint_blocks.0.x_block.attn.qkv")]
    [InlineData("lora_unet_joint_blocks_0_x_block_attn_qkv")]
    public void Load_ThreeLayersInOne_GiveEachItsThird(string name)
    {
        var up = cat([full(_lora.Width, 2, 1f), full(_lora.Width, 2, 2f), full(_lora.Width, 2, 3f)]);
        _lora.Load(_lora.Write(
            ($"{name}.lora_down.weight", ones(2, _lora.Width)), ($"{name}.lora_up.weight", up),
            ($"{name}.dora_scale", up.narrow(1, 0, 1))));
        var layers = _lora.Pipeline.Adapters[0].Layers;
        Assert.Equal(["to_q", "to_k", "to_v"], layers.Select(layer => layer.Path.Split('.')[^1]));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((2, LoraVariant.Dora), (layers[i].Rank, layers[i].Variant));
            Assert.Equal(i + 1, layers[i].Weights.B.mean().item<float>());
            Assert.Equal(i + 1, ((DoraWeights)layers[i].Update).Magnitude.mean().item<float>());
        }
    }

    [Fact]
    public void Load_FactorOfLokrBesideItsHalves_IsRefused() => _lora.Refused(
        "lokr_w1 beside its halves, which is not known here, of transformer." + Layer,
        _lora.Write(
            ("lycoris_transformer_blocks_0_attn_to_q.lokr_w1", ones(2, 2)),
            ("lycoris_transformer_blocks_0_attn_to_q.lokr_w1_a", ones(2, 2)),
            ("lycoris_transformer_blocks_0_attn_to_q.lokr_w1_b", ones(2, 2)),
            ("lycoris_transformer_blocks_0_attn_to_q.lokr_w2", ones(_lora.Width / 2, _lora.Width / 2))));

    [Fact]
    public void Load_RankZeroOfAnyVariant_IsRefused()
    {
        const string Name = "lycoris_transformer_blocks_0_attn_to_q";
        var (side, none) = (_lora.Width, zeros([_lora.Width, 0]));
        _lora.Refused("hada_w1_b", _lora.Write(
            ($"{Name}.hada_w1_a", none), ($"{Name}.hada_w1_b", none.t().contiguous()),
            ($"{Name}.hada_w2_a", none), ($"{Name}.hada_w2_b", none.t().contiguous())));
        _lora.Refused("lokr_w1", _lora.Write(($"{Name}.lokr_w1", zeros([0, side])), ($"{Name}.lokr_w2", ones(side, 1))));
    }

    [Fact]
    public void Load_OnlyZerosOfThreeLayersInOne_SaysSo() => _lora.Refused(
        "holds only zeros",
        _lora.Write(
            ("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight", zeros([3, _lora.Width])),
            ("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_up.weight", zeros([3 * _lora.Width, 3]))));

    [Fact]
    public void Load_FactorsOfLokrThatDoNotSplitIntoThirds_AreRefused() => _lora.Refused(
        "of which transformer." + Layer + " is one of 3 parts",
        _lora.Write(
            ("lycoris_joint_blocks_0_x_block_attn_qkv.lokr_w1", ones(2, 2)),
            ("lycoris_joint_blocks_0_x_block_attn_qkv.lokr_w2", ones(_lora.Width * 3 / 2, _lora.Width / 2))));

    [Fact]
    public void Load_NoTensors_SaysSo() => _lora.Refused("it holds no tensors", _lora.Write());

    [Fact]
    public void Load_PartsOfOtherLayouts_AreCountedAndNamedInAWarning()
    {
        var warnings = new List<string>();
        _lora.Pipeline.Prompts.Warn = warnings.Add;
        var report = _lora.Load(_lora.Write(
        [
            .. _lora.Pair(Layer), ($"transformer.{Layer}.alpha", ones([])), ($"transformer.{Layer}.oft_blocks", ones(_lora.Width)),
            ("lora_te3_encoder_block_0_layer_0_SelfAttention_q.lora_down.weight", ones(2, 2)),
            ("lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha", ones([])),
            ("proj_out.weight", ones(2)),
        ]));
        Assert.Equal((7, 3), (report.FileTensors, report.MatchedTensors));
        Assert.Equal(4, report.UnmatchedKeys.Count);
        Assert.StartsWith(
            "3 of 7 tensors matched (transformer: 1 layers); not used: lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha, ",
            report.ToString(), StringComparison.Ordinal);
        var warning = Assert.Single(warnings);
        Assert.Equal(report.Warnings, warnings);
        Assert.Contains("4 of its 7 tensors are not used", warning, StringComparison.Ordinal);
        Assert.Contains(
            "a text encoder's LoRA in sd-scripts' (kohya) layout: lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha, lora_te3_",
            warning, StringComparison.Ordinal);
        Assert.Contains($"OFT (LyCORIS, PEFT): transformer.{Layer}.oft_blocks", warning, StringComparison.Ordinal);
        Assert.Contains("no part of a LoRA: proj_out.weight", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_EveryTensorUsed_WarnsOfNothing()
    {
        _lora.Pipeline.Prompts.Warn = message => Assert.Fail(message);
        Assert.Empty(_lora.Load(_lora.WriteWith("""{"transformer.r": 2}""", _lora.Pair(Layer))).Warnings);
    }

    [Fact]
    public void Load_NoMetadata_SaysWhatIsAssumed() => Assert.Contains(
        "has no metadata: alpha is taken for the rank", Assert.Single(_lora.Load(_lora.Write(_lora.Pair(Layer))).Warnings),
        StringComparison.Ordinal);
}
