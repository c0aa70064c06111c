using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class MappedCheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-mapped-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_EachPart_TakesItsRows()
    {
        using var scope = NewDisposeScope();
        using var file = Save(
            ("m.qkv.weight", arange(12, ScalarType.Float32).view(6, 2)), ("m.b.3.swap", tensor([1f, 2f, 3f, 4f])),
            ("m.conv", ones(2, 2, 1, 1)), ("other", ones(1)));
        var mapped = new MappedCheckpoint(file, "m.", new KeyMapping(
        [
            new("qkv.{p}", "q.{p}", KeyPart.FirstThird), new("qkv.{p}", "k.{p}", KeyPart.SecondThird),
            new("qkv.{p}", "v.{p}", KeyPart.LastThird),
            new("b.{last}.swap", "blocks.{last}.swap", KeyPart.SwappedHalves), new("conv", "linear", KeyPart.Squeezed),
            new("conv", "unit", KeyPart.Identity),
        ], blocks: 4));
        Assert.Equal(
            ["blocks.3.swap", "k.weight", "linear", "q.weight", "unit", "v.weight"], mapped.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([0f, 1f, 2f, 3f], Values(mapped, "q.weight"));
        Assert.Equal([4f, 5f, 6f, 7f], Values(mapped, "k.weight"));
        Assert.Equal([8f, 9f, 10f, 11f], Values(mapped, "v.weight"));
        Assert.Equal([3f, 4f, 1f, 2f], Values(mapped, "blocks.3.swap"));
        Assert.Equal([1f, 0f, 0f, 1f], Values(mapped, "unit"));
        Assert.Equal([2, 2], mapped.Load("linear", CPU, ScalarType.BFloat16).shape);
        Assert.All(mapped.Entries, entry => Assert.Equal(entry.Value.Shape, mapped.Load(entry.Key).shape));
    }

    [Fact]
    public void Entries_UnknownName_KeepsItSoThatALoaderReportsIt()
    {
        using var file = Save(("m.a", ones(1)), ("m.stray", ones(1)), ("m.known", ones(1)));
        var mapped = new MappedCheckpoint(file, "m.", new KeyMapping([new("a", "b"), new("known", null)]));
        Assert.Equal(["b", "stray"], mapped.Entries.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Constructor_TwoStoredTensorsForOneParameter_Refuses()
    {
        using var file = Save(("a", ones(1)), ("b", ones(1)));
        var error = Assert.Throws<LabException>(() => new MappedCheckpoint(file, "", new KeyMapping([new("a", "x"), new("b", "x")])));
        Assert.Contains("'a' and 'b' both stand for x", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_FallbackBesideTheFirstChoice_IsNotUsed()
    {
        var mapping = new KeyMapping([new("spare", "x", IsFallback: true), new("x", "x")]);
        using var scope = NewDisposeScope();
        using (var both = Save(("spare", ones(1)), ("x", zeros(1))))
            Assert.Equal([0f], Values(new MappedCheckpoint(both, "", mapping), "x"));
        using (var spare = Save(("spare", ones(1))))
            Assert.Equal([1f], Values(new MappedCheckpoint(spare, "", mapping), "x"));
    }

    [Fact]
    public void Constructor_RowsThatCannotBeDivided_Refuses()
    {
        using var file = Save(("qkv", ones(4, 2)));
        var error = Assert.Throws<LabException>(
            () => new MappedCheckpoint(file, "", new KeyMapping([new("qkv", "q", KeyPart.FirstThird)])));
        Assert.Contains("qkv F32 [4, 2] cannot be divided into 3 parts", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WeightWithItsScale_IsMultiplied()
    {
        using var scope = NewDisposeScope();
        var header =
            """{"m.a.weight":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[4,8]},"m.a.scale_weight":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"m.scaled_fp8":{"dtype":"F8_E4M3","shape":[0],"data_offsets":[12,12]},"m.pad":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""";
        var bytes = RawSafetensors.Bytes(header, 12);
        (bytes[^8], bytes[^7], bytes[^6], bytes[^5]) = (0x38, 0x40, 0xB8, 0x00);
        BitConverter.GetBytes(0.25f).CopyTo(bytes, bytes.Length - 4);
        var path = Path.Combine(_folder, "scaled.safetensors");
        File.WriteAllBytes(path, bytes);
        using var file = Checkpoint.Open(path);
        var mapped = new MappedCheckpoint(file, "m.", new KeyMapping([new("a.{p}", "a.{p}"), new("pad", null)]));
        Assert.Equal(["a.weight"], mapped.Entries.Keys);
        Assert.Equal([0.25f, 0.5f, -0.25f, 0f], Values(mapped, "a.weight"));
    }

    private static float[] Values(MappedCheckpoint mapped, string name)
    {
        using var scope = NewDisposeScope();
        return mapped.Load(name, CPU, ScalarType.Float32).contiguous().view(-1).data<float>().ToArray();
    }

    private Checkpoint Save(params (string Name, Tensor Value)[] tensors)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.safetensors");
        SafetensorsWriter.Save(path, tensors.Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Value)));
        return Checkpoint.Open(path);
    }
}
