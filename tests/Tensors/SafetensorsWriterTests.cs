using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class SafetensorsWriterTests : IDisposable
{
    public static TheoryData<GoldenCase> References => GoldenSet.Cases("training_reference");

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-writer-").FullName;

    private string Target => Path.Combine(_folder, "out.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Int16)]
    [InlineData(ScalarType.Int8)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Bool)]
    public void Save_EveryTypeAndRank_RoundTrips(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var values = arange(24, ScalarType.Float32).remainder(type == ScalarType.Bool ? 2 : 100).to(type);
        var tensors = new Dictionary<string, Tensor>
        {
            ["three axes"] = values.view(2, 3, 4),
            ["transposed"] = values.view(4, 6).t(),
            ["strided"] = values.narrow(0, 1, 23)[TensorIndex.Slice(null, null, 3)],
            ["rank 0"] = values[5],
            ["empty"] = empty([3, 0, 2], type),
            ["grüße \"quoted\" \\ \u0001"] = values.narrow(0, 3, 5),
        };
        SafetensorsWriter.Save(Target, tensors);

        using var file = SafetensorsFile.Open(Target);
        Assert.Equal(tensors.Keys.Order(), file.Tensors.Keys.Order());
        Assert.Empty(file.Metadata);
        foreach (var (name, tensor) in tensors)
        {
            var loaded = file.Load(name);
            Assert.Equal(type, loaded.dtype);
            Assert.Equal(tensor.shape, loaded.shape);
            Assert.True(tensor.equal(loaded).all().item<bool>(), name);
        }
    }

    /// <summary>The format's own writer made the fixtures: the same tensors and metadata have to give the same bytes.</summary>
    [Theory]
    [MemberData(nameof(References))]
    public void Save_TensorsOfAReferenceFile_GivesTheSameBytes(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(golden.FullPath);
        SafetensorsWriter.Save(Target, file.Tensors.Keys.Select(name => KeyValuePair.Create(name, file.Load(name))), file.Metadata);
        Assert.Equal(File.ReadAllBytes(golden.FullPath), File.ReadAllBytes(Target));
    }

    [Fact]
    public void Save_MixedTypes_LaysWideTypesFirstThenByName()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Save(Target, new Dictionary<string, Tensor>
        {
            ["b"] = ones(3, ScalarType.Byte),
            ["z"] = ones(3, ScalarType.Float32),
            ["a"] = ones(3, ScalarType.BFloat16),
            ["y"] = ones(3, ScalarType.Float32),
            ["x"] = ones(1, ScalarType.Int64),
        });
        using var file = SafetensorsFile.Open(Target);
        Assert.Equal(["x", "y", "z", "a", "b"], file.Tensors.Values.OrderBy(entry => entry.Offset).Select(entry => entry.Name));
    }

    [Fact]
    public void Save_WithMetadata_PadsTheHeaderAndKeepsTheTexts()
    {
        using var one = ones(1);
        var metadata = new Dictionary<string, string> { ["note"] = "{\"r\": 4} grüße", ["format"] = "pt" };
        SafetensorsWriter.Save(Target, [new("x", one)], metadata);

        var bytes = File.ReadAllBytes(Target);
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        var text = Encoding.UTF8.GetString(bytes, 8, length);
        Assert.StartsWith("""{"__metadata__":{"format":"pt","note":""", text, StringComparison.Ordinal);
        Assert.Equal("pt", JsonDocument.Parse(text).RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
        using var file = SafetensorsFile.Open(Target);
        Assert.Equal(metadata.OrderBy(pair => pair.Key), file.Metadata.OrderBy(pair => pair.Key));
    }

    [Fact]
    public void Save_OverTheFileItIsReadFrom_KeepsTheLoadedValues()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Save(Target, [new("x", arange(5, ScalarType.Float32))]);
        using var file = SafetensorsFile.Open(Target);
        var loaded = file.Load("x");
        SafetensorsWriter.Save(Target, [new("x", loaded * 2)]);
        Assert.Equal([0f, 1, 2, 3, 4], loaded.data<float>().ToArray());
        using var again = SafetensorsFile.Open(Target);
        Assert.Equal([0f, 2, 4, 6, 8], again.Load("x").data<float>().ToArray());
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "__metadata__")]
    public void Save_RepeatedOrReservedName_RefusesAndWritesNothing(string first, string second)
    {
        using var one = ones(1);
        var error = Assert.Throws<LabException>(() => SafetensorsWriter.Save(Target, [new(first, one), new(second, one)]));
        Assert.Contains(second, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Save_TypeOutsideTheFormat_RefusesAndNamesTheTensor()
    {
        using var complex = ones(1, ScalarType.ComplexFloat32);
        var error = Assert.Throws<LabException>(() => SafetensorsWriter.Save(Target, [new("spectrum", complex)]));
        Assert.Contains("spectrum", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_RequiringGradient_WritesTheValues()
    {
        using var weight = ones([2, 2], requires_grad: true);
        SafetensorsWriter.Save(Target, [new("w", weight)]);
        using var file = SafetensorsFile.Open(Target);
        using var loaded = file.Load("w");
        Assert.False(loaded.requires_grad);
        Assert.Equal([1f, 1, 1, 1], loaded.data<float>().ToArray());
    }
}
