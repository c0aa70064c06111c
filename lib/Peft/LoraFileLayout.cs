namespace Dreambooth.Lab.Peft;

/// <summary>Whose names a LoRA file uses.</summary>
public enum LoraFileLayout
{
    /// <summary>diffusers: <c>transformer.transformer_blocks.0.attn.to_q.lora_A.weight</c>.</summary>
    Diffusers,

    /// <summary>PEFT: <c>base_model.model.transformer_blocks.0.attn.to_q.lora_A.weight</c>.</summary>
    Peft,

    /// <summary>kohya sd-scripts: <c>lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight</c>.</summary>
    Kohya,

    /// <summary>
    /// The original names of Stable Diffusion 3, as ComfyUI has them: <c>diffusion_model.joint_blocks.0.x_block.attn.qkv.…</c>.
    /// </summary>
    Original,

    /// <summary>OneTrainer: <c>lora_transformer_transformer_blocks_0_attn_to_q.lora_down.weight</c>.</summary>
    OneTrainer,

    /// <summary>LyCORIS, as SimpleTuner saves it: <c>lycoris_transformer_blocks_0_attn_to_q.lokr_w1</c>.</summary>
    Lycoris,
}
