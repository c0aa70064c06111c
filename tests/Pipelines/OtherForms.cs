using System.Text;
using System.Text.Json;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>Rewrites weights in the other forms that they come in.</summary>
internal static class OtherForms
{
    /// <summary>Puts a component's one file into shards with an index.</summary>
    public static void Shard(string folder, string name, int count)
    {
        using var scope = NewDisposeScope();
        var map = new Dictionary<string, string>();
        using (var file = Checkpoint.OpenFolder(folder, name))
        {
            var names = file.Names.ToList();
            for (var i = 0; i < count; i++)
            {
                var shard = $"{name}-{i + 1:00000}-of-{count:00000}.safetensors";
                var own = names.Where((_, index) => index % count == i).ToList();
                own.ForEach(key => map.Add(key, shard));
                SafetensorsWriter.Save(Path.Combine(folder, shard), own.Select(key => KeyValuePair.Create(key, file.Load(key))));
            }
        }

        File.Delete(Path.Combine(folder, name + ".safetensors"));
        File.WriteAllText(
            Path.Combine(folder, name + ".safetensors.index.json"), JsonSerializer.Serialize(new { metadata = new { }, weight_map = map }));
    }

    /// <summary>Writes a file of 8-bit values, small numbers of both signs, under the names and shapes of some tensors.</summary>
    public static void SaveFloat8(string path, IEnumerable<(string Key, Tensor Value)> tensors)
    {
        var header = new StringBuilder("{");
        var length = 0;
        foreach (var (key, value) in tensors)
        {
            var next = length + (int)value.numel();
            header.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"{(length == 0 ? "" : ",")}\"{key}\":{{\"dtype\":\"F8_E4M3\",\"shape\":[{string.Join(",", value.shape)}],\"data_offsets\":[{length},{next}]}}");
            length = next;
        }

        var bytes = RawSafetensors.Bytes(header.Append('}').ToString(), length);
        for (var i = 1; i <= length; i++)
            bytes[^i] = (byte)((i * 37 % 0x28) | (i % 3 == 0 ? 0x80 : 0));
        File.WriteAllBytes(path, bytes);
    }
}
