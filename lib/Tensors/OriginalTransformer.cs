namespace Dreambooth.Lab.Tensors;

/// <summary>
/// What the linear layers of the transformer are called in the original layout of Stable Diffusion 3, for whole models and for LoRA alike.
/// Sources: Stability-AI/sd3.5 <c>mmditx.py</c>; diffusers <c>loaders/single_file_utils.py</c> (58eb52c).
/// </summary>
internal static class OriginalTransformer
{
    /// <summary>
    /// The layers: as published, as originally named, and which part of the original one they are; <c>{n}</c> is a block's number. Halves
    /// of <c>norm1_context</c> are swapped in the last block alone.
    /// </summary>
    public static IReadOnlyList<(string Published, string Original, KeyPart Part)> Layers { get; } =
    [
        ("pos_embed.proj", "x_embedder.proj", KeyPart.Whole),
        ("time_text_embed.timestep_embedder.linear_1", "t_embedder.mlp.0", KeyPart.Whole),
        ("time_text_embed.timestep_embedder.linear_2", "t_embedder.mlp.2", KeyPart.Whole),
        ("time_text_embed.text_embedder.linear_1", "y_embedder.mlp.0", KeyPart.Whole),
        ("time_text_embed.text_embedder.linear_2", "y_embedder.mlp.2", KeyPart.Whole),
        ("context_embedder", "context_embedder", KeyPart.Whole),
        .. Attention("x_block.attn.qkv", "attn.to_q", "attn.to_k", "attn.to_v"),
        .. Attention("x_block.attn2.qkv", "attn2.to_q", "attn2.to_k", "attn2.to_v"),
        .. Attention("context_block.attn.qkv", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
        Block("norm1.linear", "x_block.adaLN_modulation.1"),
        Block("attn.to_out.0", "x_block.attn.proj"), Block("attn2.to_out.0", "x_block.attn2.proj"),
        Block("ff.net.0.proj", "x_block.mlp.fc1"), Block("ff.net.2", "x_block.mlp.fc2"),
        Block("norm1_context.linear", "context_block.adaLN_modulation.1", KeyPart.SwappedHalves),
        Block("attn.to_add_out", "context_block.attn.proj"),
        Block("ff_context.net.0.proj", "context_block.mlp.fc1"), Block("ff_context.net.2", "context_block.mlp.fc2"),
        ("norm_out.linear", "final_layer.adaLN_modulation.1", KeyPart.SwappedHalves),
        ("proj_out", "final_layer.linear", KeyPart.Whole),
    ];

    private static (string Published, string Original, KeyPart Part)[] Attention(string original, string q, string k, string v) =>
        [Block(q, original, KeyPart.FirstThird), Block(k, original, KeyPart.SecondThird), Block(v, original, KeyPart.LastThird)];

    private static (string Published, string Original, KeyPart Part) Block(
        string published, string original, KeyPart part = KeyPart.Whole) =>
        ($"transformer_blocks.{{n}}.{published}", $"joint_blocks.{{n}}.{original}", part);
}
