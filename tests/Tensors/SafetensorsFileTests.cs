using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string TwoTensors =
        """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-safetensors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_ValidFile_ListsTensorsAndMetadata()
    {
        var path = RawSafetensors.Write(_folder, TwoTensors, 32);
        using var file = SafetensorsFile.Open(path);
        Assert.Equal("pt", Assert.Single(file.Metadata).Value);
        Assert.Equal(["a", "b"], file.Tensors.Keys.Order());
        Assert.Equal([2L, 3L], file.Tensors["a"].Shape);
        Assert.Equal(ScalarType.Int64, file.Tensors["b"].DType);
        Assert.Equal(8 + Encoding.UTF8.GetByteCount(TwoTensors) + 24, file.Tensors["b"].Offset);
        Assert.Equal("a F32 [2, 3]", file.Tensors["a"].ToString());
    }

    [Fact]
    public void Load_ThroughALink_ReadsTheFileBehindIt()
    {
        var target = RawSafetensors.Write(_folder, TwoTensors, 32);
        var link = Path.Combine(_folder, "link.safetensors");
        File.CreateSymbolicLink(link, Path.GetFileName(target));
        using var file = SafetensorsFile.Open(link);
        using var loaded = file.Load("a");
        using var converted = file.Load("a", dtype: ScalarType.Float64);
        Assert.Equal([2L, 3L], loaded.shape);
        Assert.Equal([2L, 3L], converted.shape);
        Assert.Equal(link, file.Path);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void Load_AnyAlignment_GivesTheStoredValues(int padding)
    {
        var path = RawSafetensors.Write(_folder, TwoTensors + new string(' ', padding), 32);
        using var file = SafetensorsFile.Open(path);
        using var a = file.Load("a");
        using var b = file.Load("b");
        var expected = Enumerable.Range(0, 32).Select(value => (byte)value).ToArray();
        Assert.Equal(expected[..24], a.bytes.ToArray());
        Assert.Equal([2L, 3L], a.shape);
        Assert.Equal(BitConverter.ToInt64(expected, 24), b.item<long>());
    }

    [Fact]
    public void Load_AlignedSameType_SharesTheMapping()
    {
        var path = SaveThree();
        using var file = SafetensorsFile.Open(path);
        using var first = file.Load("x");
        using var second = file.Load("x");
        first.fill_(7);
        Assert.Equal(7f, second.mean().item<float>());
    }

    [Fact]
    public void Load_WrittenInto_LeavesTheFileAsItWas()
    {
        var path = SaveThree();
        var before = File.ReadAllBytes(path);
        using (var file = SafetensorsFile.Open(path))
        {
            using var tensor = file.Load("x");
            tensor.fill_(7);
        }

        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void Load_FileDisposedAndInADisposeScope_TensorOutlivesTheFileAndDiesWithTheScope()
    {
        var path = SaveThree();
        Tensor inner, outer;
        using (var file = SafetensorsFile.Open(path))
        {
            using (NewDisposeScope())
                inner = file.Load("x");
            outer = file.Load("x");
        }

        Assert.True(inner.IsInvalid);
        using (outer)
            Assert.Equal([0f, 1, 2, 3], outer.data<float>().ToArray());
    }

    [Fact]
    public void Load_OtherType_Converts()
    {
        using var file = SafetensorsFile.Open(SaveThree());
        using var tensor = file.Load("x", CPU, ScalarType.BFloat16);
        Assert.Equal(ScalarType.BFloat16, tensor.dtype);
        using var back = tensor.to(ScalarType.Float32);
        Assert.Equal([0f, 1, 2, 3], back.data<float>().ToArray());
    }

    [Fact]
    public void Load_UnknownName_NamesTheNearest()
    {
        using var file = SafetensorsFile.Open(SaveThree());
        var error = Assert.Throws<LabException>(() => file.Load("longe"));
        Assert.Contains("Nearest: longer, ", error.Message, StringComparison.Ordinal);
        Assert.Contains(file.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FileReplacedAfterOpening_Refuses()
    {
        var path = SaveThree();
        using var file = SafetensorsFile.Open(path);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^4]);
        Assert.Throws<LabException>(() => file.Load("x"));
    }

    [Fact]
    public void Open_MissingFile_NamesIt() =>
        Assert.Contains("nowhere", Assert.Throws<LabException>(() => SafetensorsFile.Open(Path.Combine(_folder, "nowhere"))).Message,
            StringComparison.Ordinal);

    public static TheoryData<string, string, int> Malformed => new()
    {
        { "no object", "[]", 0 },
        { "not JSON", """{"a":""", 0 },
        { "text after the object", """{} x""", 0 },
        { "second object", """{}{}""", 0 },
        { "tensor listed twice",
            """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2 },
        { "field listed twice", """{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1 },
        { "unknown field", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}""", 1 },
        { "unknown type", """{"a":{"dtype":"F8_E8M0","shape":[1],"data_offsets":[0,1]}}""", 1 },
        { "type not a text", """{"a":{"dtype":4,"shape":[1],"data_offsets":[0,1]}}""", 1 },
        { "no shape", """{"a":{"dtype":"U8","data_offsets":[0,1]}}""", 1 },
        { "shape not a list", """{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", 1 },
        { "negative size", """{"a":{"dtype":"U8","shape":[-1,-1],"data_offsets":[0,1]}}""", 1 },
        { "fractional size", """{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1 },
        { "size beyond 64 bits", """{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}}""", 1 },
        { "product overflows", """{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0 },
        { "product overflows beside a zero", """{"a":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}""", 0 },
        { "three offsets", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""", 1 },
        { "one offset", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", 1 },
        { "offsets backwards", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1 },
        { "negative offset", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}""", 1 },
        { "range beyond the file", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 1 },
        { "range too long for the shape", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", 8 },
        { "hole", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2 },
        { "rest", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 2 },
        { "overlap", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3 },
        { "same range twice",
            """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2 },
        { "metadata not an object", """{"__metadata__":"pt"}""", 0 },
        { "metadata value not a text", """{"__metadata__":{"format":1}}""", 0 },
        { "metadata key twice", """{"__metadata__":{"format":"pt","format":"pt"}}""", 0 },
        { "metadata twice", """{"__metadata__":{},"__metadata__":{}}""", 0 },
        { "deep nesting", "{\"a\":" + new string('[', 100_000) + new string(']', 100_000) + "}", 0 },
        { "lone surrogate", """{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1 },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Open_MalformedHeader_GivesOneErrorNamingTheFile(string what, string header, int dataLength)
    {
        var path = RawSafetensors.Write(_folder, header, dataLength);
        var error = Assert.Throws<LabException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < path.Length + 400, what);
    }

    [Theory]
    [InlineData(100_000_001)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1000)]
    [InlineData(0)]
    [InlineData(3)]
    public void Open_WrongHeaderLength_GivesOneErrorNamingTheFile(long stated)
    {
        var path = RawSafetensors.Write(_folder, TwoTensors, 32, stated);
        Assert.StartsWith(path, Assert.Throws<LabException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TruncatedAnywhere_GivesOneErrorNamingTheFile()
    {
        var whole = RawSafetensors.Bytes(TwoTensors, 32);
        var path = Path.Combine(_folder, "cut.safetensors");
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Contains(path, Assert.Throws<LabException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// Whatever happens to the header, the outcome is a LabException or a file whose every tensor loads with the stated
    /// size; both outcomes must occur, and nothing else may.
    /// </summary>
    [Fact]
    public void Open_MutatedHeaders_AlwaysGivesAClearErrorOrAConsistentFile()
    {
        var random = new Random(20240917);
        var whole = RawSafetensors.Bytes(TwoTensors, 32);
        var path = Path.Combine(_folder, "fuzz.safetensors");
        int refused = 0, accepted = 0;
        for (var round = 0; round < 4000; round++)
        {
            File.WriteAllBytes(path, Mutate(whole, random));
            try
            {
                using var file = SafetensorsFile.Open(path);
                foreach (var entry in file.Tensors.Values)
                {
                    using var tensor = file.Load(entry.Name);
                    Assert.Equal(entry.ByteLength, tensor.numel() * tensor.ElementSize);
                    Assert.True(entry.Offset + entry.ByteLength <= new FileInfo(path).Length);
                }

                accepted++;
            }
            catch (LabException error)
            {
                Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.True(refused > 3000, $"only {refused} refused");
        Assert.True(accepted > 10, $"only {accepted} accepted");
    }

    private static byte[] Mutate(byte[] whole, Random random)
    {
        var bytes = whole.ToList();
        var headerEnd = whole.Length - 32;
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var at = random.Next(0, Math.Min(headerEnd, bytes.Count));
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes[at] = (byte)"0123456789-{}[],:\"eE."[random.Next(21)];
                    break;
                case 3:
                    bytes.RemoveAt(at);
                    break;
                default:
                    bytes.Insert(at, (byte)"0123456789-{}[],:\" ab"[random.Next(21)]);
                    break;
            }
        }

        return [.. bytes];
    }

    private string SaveThree()
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.safetensors");
        using var x = arange(4, ScalarType.Float32);
        using var y = ones([2, 2], ScalarType.Float32);
        SafetensorsWriter.Save(path, [new("x", x), new("longer", y), new("other", y)]);
        return path;
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a Git LFS pointer")]
    [InlineData("<!DOCTYPE html><html>404</html>", "a web page and not weights")]
    [InlineData("<html><body>", "a web page and not weights")]
    [InlineData("PK\u0003\u0004\0\0\0\0\0\0", "a PyTorch pickle (.bin, .pt, .ckpt)")]
    public void Open_WhatIsFoundInPlaceOfWeights_IsNamed(string content, string kind)
    {
        var path = Path.Combine(_folder, "w.safetensors");
        File.WriteAllText(path, content);
        Assert.StartsWith(
            $"{path} is {kind}", Assert.Throws<LabException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }
}
