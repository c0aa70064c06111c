using System.Text.Json.Nodes;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>
/// The committed pipeline in the original layout, made by walking the original names and taking each from the published weights:
/// the way back, written apart from the lab's own table.
/// </summary>
internal sealed class OriginalFile : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Dictionary<string, Dictionary<string, Tensor>> _weights = [];

    /// <summary>
    /// Copies the pipeline to <paramref name="folder"/>, with a first CLIP encoder that does not project (original files hold no projection
    /// of it), and reads its weights.
    /// </summary>
    public OriginalFile(string folder)
    {
        Folder = folder;
        foreach (var file in Directory.GetFiles(TinyPipeline.Folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(TinyPipeline.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        foreach (var (component, name) in new[] { ("transformer", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"),
            ("text_encoder", "model"), ("text_encoder_2", "model"), ("text_encoder_3", "model") })
        {
            using var checkpoint = Checkpoint.OpenFolder(Path.Combine(folder, component), name);
            _weights[component] = checkpoint.Names.ToDictionary(key => key, key => checkpoint.Load(key).clone());
        }

        RemoveProjection();
        Preset = new SingleFilePreset
        {
            Name = "the tiny model",
            Transformer = SD3TransformerConfig.Read(Path.Combine(folder, "transformer", "config.json")),
            Vae = AutoencoderKLConfig.Read(Path.Combine(folder, "vae", "config.json")),
            Clip = CLIPTextConfig.Read(Path.Combine(folder, "text_encoder", "config.json")),
            Clip2 = CLIPTextConfig.Read(Path.Combine(folder, "text_encoder_2", "config.json")),
            T5 = T5Config.Read(Path.Combine(folder, "text_encoder_3", "config.json")),
        };
    }

    /// <summary>The published folder that it equals.</summary>
    public string Folder { get; }

    /// <summary>Its configurations.</summary>
    public SingleFilePreset Preset { get; }

    /// <summary>The transformer under its original names.</summary>
    public IEnumerable<(string Key, Tensor Value)> Transformer =>
        OriginalKeys.Transformer(Preset.Transformer).Select(key => (key.Key, Checked(Transformed(key.Key), key.Shape)));

    /// <summary>The autoencoder under its original names.</summary>
    public IEnumerable<(string Key, Tensor Value)> Vae =>
        OriginalKeys.Vae(Preset.Vae).Select(key => (key.Key, Checked(Decoded(key.Key).view(key.Shape), key.Shape)));

    /// <summary>The first CLIP encoder under its original names.</summary>
    public IEnumerable<(string Key, Tensor Value)> Clip =>
        OriginalKeys.Clip(Preset.Clip, projected: false).Select(key => (key.Key, _weights["text_encoder"][key.Key]));

    /// <summary>The second CLIP encoder under its original names.</summary>
    public IEnumerable<(string Key, Tensor Value)> Clip2 =>
        OriginalKeys.Clip(Preset.Clip2, projected: true).Select(key => (key.Key, _weights["text_encoder_2"][key.Key]));

    /// <summary>T5 under its original names.</summary>
    public IEnumerable<(string Key, Tensor Value)> T5 =>
        OriginalKeys.T5(Preset.T5)
            .Select(key => (key.Key, _weights["text_encoder_3"][key.Key == "encoder.embed_tokens.weight" ? "shared.weight" : key.Key]));

    public static void Save(string path, ScalarType dtype, params (string Prefix, IEnumerable<(string Key, Tensor Value)> Tensors)[] parts)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Save(
            path, parts.SelectMany(
                part => part.Tensors.Select(tensor => KeyValuePair.Create(part.Prefix + tensor.Key, tensor.Value.to(dtype)))));
    }

    public void Dispose() => _scope.Dispose();

    private void RemoveProjection()
    {
        var width = _weights["text_encoder"]["text_model.final_layer_norm.weight"].shape[0];
        var old = _weights["text_encoder"]["text_projection.weight"].shape[0];
        _weights["text_encoder"]["text_projection.weight"] = eye(width, width, ScalarType.BFloat16);
        Edit("text_encoder", config => config["projection_dim"] = width);
        var pooled = _weights["transformer"]["time_text_embed.text_embedder.linear_1.weight"];
        pooled = pooled.narrow(1, old - width, pooled.shape[1] - (old - width)).contiguous();
        _weights["transformer"]["time_text_embed.text_embedder.linear_1.weight"] = pooled;
        Edit("transformer", config => config["pooled_projection_dim"] = pooled.shape[1]);
        SafetensorsWriter.Save(Path.Combine(Folder, "text_encoder", "model.safetensors"), _weights["text_encoder"]);
        SafetensorsWriter.Save(Path.Combine(Folder, "transformer", "diffusion_pytorch_model.safetensors"), _weights["transformer"]);
    }

    private void Edit(string component, Action<JsonNode> change)
    {
        var path = Path.Combine(Folder, component, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    private Tensor Transformed(string key)
    {
        var weights = _weights["transformer"];
        var parts = key.Split('.');
        var end = parts[^1];
        if (parts[0] != "joint_blocks")
        {
            return string.Join('.', parts[..^1]) switch
            {
                "" => weights["pos_embed.pos_embed"],
                "x_embedder.proj" => weights["pos_embed.proj." + end],
                "t_embedder.mlp.0" => weights["time_text_embed.timestep_embedder.linear_1." + end],
                "t_embedder.mlp.2" => weights["time_text_embed.timestep_embedder.linear_2." + end],
                "y_embedder.mlp.0" => weights["time_text_embed.text_embedder.linear_1." + end],
                "y_embedder.mlp.2" => weights["time_text_embed.text_embedder.linear_2." + end],
                "context_embedder" => weights["context_embedder." + end],
                "final_layer.adaLN_modulation.1" => ShiftFirst(weights["norm_out.linear." + end]),
                "final_layer.linear" => weights["proj_out." + end],
                _ => throw new KeyNotFoundException(key),
            };
        }

        var block = $"transformer_blocks.{parts[1]}.";
        var image = parts[2] == "x_block";
        var last = parts[1] == (Preset.Transformer.NumLayers - 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Tensor Of(string name) => weights[block + name + "." + end];
        return (string.Join('.', parts[3..^1]), image) switch
        {
            ("adaLN_modulation.1", true) => Of("norm1.linear"),
            ("adaLN_modulation.1", false) => last ? ShiftFirst(Of("norm1_context.linear")) : Of("norm1_context.linear"),
            ("attn.qkv", true) => cat([Of("attn.to_q"), Of("attn.to_k"), Of("attn.to_v")]),
            ("attn.qkv", false) => cat([Of("attn.add_q_proj"), Of("attn.add_k_proj"), Of("attn.add_v_proj")]),
            ("attn.ln_q", _) => Of(image ? "attn.norm_q" : "attn.norm_added_q"),
            ("attn.ln_k", _) => Of(image ? "attn.norm_k" : "attn.norm_added_k"),
            ("attn.proj", _) => Of(image ? "attn.to_out.0" : "attn.to_add_out"),
            ("attn2.qkv", true) => cat([Of("attn2.to_q"), Of("attn2.to_k"), Of("attn2.to_v")]),
            ("attn2.ln_q", true) => Of("attn2.norm_q"),
            ("attn2.ln_k", true) => Of("attn2.norm_k"),
            ("attn2.proj", true) => Of("attn2.to_out.0"),
            ("mlp.fc1", _) => Of(image ? "ff.net.0.proj" : "ff_context.net.0.proj"),
            ("mlp.fc2", _) => Of(image ? "ff.net.2" : "ff_context.net.2"),
            _ => throw new KeyNotFoundException(key),
        };
    }

    private Tensor Decoded(string key)
    {
        var weights = _weights["vae"];
        var parts = key.Split('.');
        var (half, end) = (parts[0], parts[^1]);
        var stem = parts[1] switch
        {
            "norm_out" => "conv_norm_out",
            "conv_in" or "conv_out" => parts[1],
            "mid" when parts[2] == "attn_1" =>
                "mid_block.attentions.0." + parts[3] switch { "norm" => "group_norm", "proj_out" => "to_out.0", var name => "to_" + name },
            "mid" => $"mid_block.resnets.{(parts[2] == "block_1" ? 0 : 1)}.{Layer(parts[3])}",
            "down" when parts[3] == "block" => $"down_blocks.{parts[2]}.resnets.{parts[4]}.{Layer(parts[5])}",
            "down" => $"down_blocks.{parts[2]}.downsamplers.0.conv",
            "up" when parts[3] == "block" => $"up_blocks.{FromTheTop(parts[2])}.resnets.{parts[4]}.{Layer(parts[5])}",
            _ => $"up_blocks.{FromTheTop(parts[2])}.upsamplers.0.conv",
        };
        return weights[$"{half}.{stem}.{end}"];

        static string Layer(string name) => name == "nin_shortcut" ? "conv_shortcut" : name;
        int FromTheTop(string level) =>
            Preset.Vae.BlockOutChannels.Count - 1 - int.Parse(level, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static Tensor ShiftFirst(Tensor scaleFirst)
    {
        var halves = scaleFirst.chunk(2, dim: 0);
        return cat([halves[1], halves[0]]);
    }

    private static Tensor Checked(Tensor value, long[] shape)
    {
        Assert.Equal(shape, value.shape);
        return value;
    }
}
