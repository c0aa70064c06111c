using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tensors;

public sealed class Float8Tests
{
    public static TheoryData<string> Formats => ["F8_E4M3", "F8_E5M2"];

    /// <summary>
    /// E5M2 is the upper byte of a float16; E4M3 has the same mantissa as its first three bits and an exponent that is 8 lower.
    /// </summary>
    private static float Formula(string format, int code) => format == "F8_E5M2"
        ? (float)BitConverter.UInt16BitsToHalf((ushort)(code << 8))
        : (code & 0x7F) == 0x7F
            ? float.NaN
            : (float)BitConverter.UInt16BitsToHalf((ushort)(((code & 0x80) << 8) | ((code & 0x7F) << 7))) * 256;

    [Theory]
    [MemberData(nameof(Formats))]
    public void Values_All256Codes_AreThoseOfTheFormat(string format)
    {
        var values = Float8.All.Single(known => known.Name == format).Values;
        Assert.Equal(256, values.Count);
        Assert.All(Enumerable.Range(0, 256), code => Assert.Equal(Formula(format, code), values[code]));
        Assert.Equal(1, float.Sign(1 / values[0]));
        Assert.Equal(-1, float.Sign(1 / values[0x80]));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Load_StoredCodes_AreDecodedToEveryType(string format)
    {
        var folder = Directory.CreateTempSubdirectory("lab-float8-");
        try
        {
            // Raw bytes 0, 1, 2, ... are every code once.
            var path = RawSafetensors.Write(
                folder.FullName, $$$"""{"w":{"dtype":"{{{format}}}","shape":[16,16],"data_offsets":[0,256]}}""", 256);
            using var file = SafetensorsFile.Open(path);
            Assert.Equal((256L, $"w {format} [16, 16]"), (file.Tensors["w"].ElementCount, file.Tensors["w"].ToString()));
            foreach (var type in new ScalarType?[] { null, ScalarType.BFloat16, ScalarType.Float16, ScalarType.Float32 })
            {
                using var loaded = file.Load("w", CPU, type);
                using var wide = loaded.to(ScalarType.Float32).view(-1);
                Assert.Equal(type ?? ScalarType.BFloat16, loaded.dtype);
                Assert.Equal([16, 16], loaded.shape);
                Assert.Equal(Enumerable.Range(0, 256).Select(code => Formula(format, code)), wide.data<float>().ToArray());
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
