using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Writes a model folder in the published layout with random bfloat16 weights and the miniature's small vocabularies: what a program does
/// with the real model's files, without the files. 16 GB for Stable Diffusion 3.5-medium, as fast as the disk's cache takes them.
/// </summary>
internal static class RandomModelFolder
{
    private const int ClipWindow = 77;
    private const int T5Window = 256;
    private const int BufferBytes = 1 << 25;
    private const int ElementBytes = 2;

    /// <summary>Writes the folder.</summary>
    /// <param name="folder">Where; created when missing.</param>
    /// <param name="model">The sizes; with T5.</param>
    public static void Write(string folder, ModelArchitecture model)
    {
        MiniatureConfigs.Write(folder, new MiniatureRecipe
        {
            Transformer = model.Transformer,
            Vae = model.Vae,
            Clip = model.Clip,
            Clip2 = model.Clip2,
            T5 = model.T5!,
            Scheduler = SingleFilePreset.Sd35Medium.Scheduler,
        });
        // It comes back last: a folder with it is whole.
        var index = Path.Combine(folder, "model_index.json");
        var parts = File.ReadAllText(index);
        File.Delete(index);
        new MiniatureTokenizers(T5Window).Write(folder);
        foreach (var name in (string[])["tokenizer", "tokenizer_2"])
            SetWindow(Path.Combine(folder, name, "tokenizer_config.json"));
        var values = Values();
        Weights(
            folder, "transformer", SD3Transformer2DModel.WeightsName,
            () => new SD3Transformer2DModel(model.Transformer, META, ScalarType.BFloat16), values);
        Weights(folder, "vae", AutoencoderKL.WeightsName, () => new AutoencoderKL(model.Vae, META, ScalarType.BFloat16), values);
        Weights(
            folder, "text_encoder", CLIPTextModelWithProjection.WeightsName,
            () => new CLIPTextModelWithProjection(model.Clip, META, ScalarType.BFloat16), values);
        Weights(
            folder, "text_encoder_2", CLIPTextModelWithProjection.WeightsName,
            () => new CLIPTextModelWithProjection(model.Clip2, META, ScalarType.BFloat16), values);
        Weights(
            folder, "text_encoder_3", T5EncoderModel.WeightsName, () => new T5EncoderModel(model.T5!, META, ScalarType.BFloat16), values);
        File.WriteAllText(index, parts);
    }

    private static void SetWindow(string path)
    {
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config["model_max_length"] = ClipWindow;
        File.WriteAllText(path, config.ToJsonString());
    }

    // The same few million values again and again: a loader reads bytes, whatever they say. No call waits for the disk.
    private static void Weights(string folder, string component, string name, Func<nn.Module> declare, byte[] values)
    {
        using var module = declare();
        KeyValuePair<string, Tensor>[] tensors =
            [.. StateDictLoader.Owners(module).Select(owner => KeyValuePair.Create(owner.Path, owner.Value))];
        using var file = new FileStream(
            Path.Combine(folder, component, name + ".safetensors"), FileMode.Create, FileAccess.Write, FileShare.None, 0);
        file.Write(SafetensorsWriter.Header(tensors));
        for (var left = tensors.Sum(tensor => tensor.Value.numel()) * ElementBytes; left > 0; left -= Math.Min(left, values.Length))
            file.Write(values, 0, (int)Math.Min(left, values.Length));
    }

    // Even between ±0.035, as bfloat16: the upper half of a float32.
    private static byte[] Values()
    {
        var random = new Random(1);
        var values = new byte[BufferBytes];
        foreach (ref var value in MemoryMarshal.Cast<byte, ushort>(values.AsSpan()))
            value = (ushort)(BitConverter.SingleToUInt32Bits((random.NextSingle() - 0.5f) * 0.07f) >> 16);
        return values;
    }
}
