using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-checkpoint-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void OpenFolder_SingleFile_LoadsItsTensors()
    {
        Save("model.safetensors", ("a", 1), ("b", 2));
        using var checkpoint = Checkpoint.OpenFolder(_folder, "model");
        Assert.Equal(["a", "b"], checkpoint.Names.Order());
        using var b = checkpoint.Load("b", CPU, ScalarType.Float64);
        Assert.Equal(2.0, b.item<double>());
    }

    [Fact]
    public void OpenFolder_Shards_LoadsFromEach()
    {
        Save("model-1.safetensors", ("a", 1));
        Save("model-2.safetensors", ("b", 2));
        WriteIndex("""{"metadata":{"total_size":8},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}""");
        using var checkpoint = Checkpoint.OpenFolder(_folder, "model");
        Assert.Equal(["a", "b"], checkpoint.Entries.Keys.Order());
        using var a = checkpoint.Load("a");
        using var b = checkpoint.Load("b");
        Assert.Equal((1f, 2f), (a.item<float>(), b.item<float>()));
    }

    [Theory]
    [InlineData("model.fp16.safetensors", null)]
    [InlineData("model.fp16-00001-of-00001.safetensors", "model.safetensors.index.fp16.json")]
    [InlineData("model-00001-of-00001.fp16.safetensors", "model.safetensors.fp16.index.json")]
    public void OpenFolder_Variant_IsPreferredToThePlainFile(string file, string? index)
    {
        Save("model.safetensors", ("a", 1));
        Save(file, ("a", 2));
        if (index is not null)
            File.WriteAllText(Path.Combine(_folder, index), $$$"""{"weight_map":{"a":"{{{file}}}"}}""");
        Assert.True(Checkpoint.HasVariant(_folder, "model", "fp16"));
        Assert.False(Checkpoint.HasVariant(_folder, "model", "bf16"));
        foreach (var (variant, expected) in new (string?, float)[] { ("fp16", 2), (null, 1), ("bf16", 1) })
        {
            using var checkpoint = Checkpoint.OpenFolder(_folder, "model", variant);
            using var value = checkpoint.Load("a");
            Assert.Equal(expected, value.item<float>());
        }
    }

    [Theory]
    [InlineData(
        """{"weight_map":{"a":"model-1.safetensors","x":"model-2.safetensors"}}""", "'b' of model-2.safetensors is not in the index")]
    [InlineData("""{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-2.safetensors"}}""", "'c' is missing")]
    [InlineData("""{"weight_map":{"a":"model-2.safetensors","b":"model-1.safetensors"}}""", "'a' lies in model-1.safetensors")]
    [InlineData("""{"weight_map":{"a":"model-1.safetensors","b":"model-3.safetensors"}}""", "model-3.safetensors, which is missing")]
    [InlineData("""{"weight_map":{"a":"model-1.safetensors","a":"model-1.safetensors"}}""", "weight_map.a appears twice")]
    [InlineData(
        """{"weight_map":{"a":"../model-1.safetensors"}}""", "weight_map.a is \"../model-1.safetensors\"; valid is a plain file name.")]
    [InlineData("""{"weight_map":{"a":1}}""", "weight_map.a is 1; valid is a text.")]
    [InlineData("""{"weight_map":{}}""", "empty")]
    [InlineData("""{"weights":{}}""", "weight_map")]
    [InlineData("""[""", "not valid JSON")]
    public void Open_IndexAndShardsDiffer_SaysWhere(string index, string expected)
    {
        Save("model-1.safetensors", ("a", 1));
        Save("model-2.safetensors", ("b", 2));
        var error = Assert.Throws<LabException>(() => Checkpoint.Open(WriteIndex(index)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TensorInTwoShards_Refuses()
    {
        Save("model-1.safetensors", ("a", 1));
        Save("model-2.safetensors", ("a", 1), ("b", 2));
        var index = WriteIndex("""{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}""");
        Assert.Contains("lies both in", Assert.Throws<LabException>(() => Checkpoint.Open(index)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenFolder_NeitherForm_ListsWhatIsThere()
    {
        Save("diffusion_pytorch_model.safetensors", ("a", 1));
        var error = Assert.Throws<LabException>(() => Checkpoint.OpenFolder(_folder, "model"));
        Assert.Contains("It holds diffusion_pytorch_model.safetensors.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Folder_SaysThatAFileIsNeeded() =>
        Assert.Contains("is a folder", Assert.Throws<LabException>(() => Checkpoint.Open(_folder)).Message, StringComparison.Ordinal);

    [Fact]
    public void Load_UnknownName_NamesTheNearest()
    {
        Save("model.safetensors", ("proj.weight", 1), ("norm.weight", 1));
        using var checkpoint = Checkpoint.OpenFolder(_folder, "model");
        Assert.Contains(
            "Nearest: proj.weight", Assert.Throws<LabException>(() => checkpoint.Load("proj.weigth")).Message, StringComparison.Ordinal);
    }

    private void Save(string file, params (string Name, float Value)[] values)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Save(
            Path.Combine(_folder, file), [.. values.Select(value => KeyValuePair.Create(value.Name, tensor(value.Value)))]);
    }

    private string WriteIndex(string text)
    {
        var path = Path.Combine(_folder, "model.safetensors.index.json");
        File.WriteAllText(path, text);
        return path;
    }
}
