using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// An 8-bit floating-point format (Micikevicius et al. 2022, arXiv:2209.05433). Tensors of files are only stored in it: they are decoded
/// by a table of all 256 codes, whose values are exact in float32 and bfloat16 alike.
/// </summary>
public sealed class Float8
{
    private readonly float[] _values;

    private Float8(string name, ScalarType dtype, int exponentBits, int bias, Func<int, int, float?> special)
    {
        (Name, Dtype) = (name, dtype);
        var mantissaBits = 7 - exponentBits;
        _values = new float[256];
        for (var code = 0; code < _values.Length; code++)
        {
            var exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
            var mantissa = code & ((1 << mantissaBits) - 1);
            var fraction = Math.ScaleB(mantissa, -mantissaBits);
            var magnitude = special(exponent, mantissa)
                ?? (float)(exponent == 0 ? Math.ScaleB(fraction, 1 - bias) : Math.ScaleB(1 + fraction, exponent - bias));
            _values[code] = code < 128 ? magnitude : -magnitude;
        }
    }

    /// <summary>4 exponent and 3 mantissa bits, up to 448; one NaN of either sign, no infinity.</summary>
    public static Float8 E4M3 { get; } = new(
        "F8_E4M3", (ScalarType)24, 4, 7, (exponent, mantissa) => exponent == 15 && mantissa == 7 ? float.NaN : null);

    /// <summary>5 exponent and 2 mantissa bits, up to 57344; infinities and NaN as in IEEE 754.</summary>
    public static Float8 E5M2 { get; } = new(
        "F8_E5M2", (ScalarType)23, 5, 15,
        (exponent, mantissa) => exponent < 31 ? null : mantissa == 0 ? float.PositiveInfinity : float.NaN);

    /// <summary>Both formats.</summary>
    public static IReadOnlyList<Float8> All { get; } = [E4M3, E5M2];

    /// <summary>The name in the safetensors format.</summary>
    public string Name { get; }

    /// <summary>
    /// The number that libtorch has for it (<c>c10/core/ScalarType.h</c>); TorchSharp passes it on, but has no name for it.
    /// </summary>
    internal ScalarType Dtype { get; }

    /// <summary>The value of each code, 256 of them.</summary>
    public IReadOnlyList<float> Values => _values;

    /// <summary>Decodes codes.</summary>
    /// <param name="codes">Bytes on any device, any shape.</param>
    /// <param name="dtype">Element type of the result, bfloat16 or wider for exact values.</param>
    /// <returns>The values, in the shape and on the device of <paramref name="codes"/>.</returns>
    public Tensor Decode(Tensor codes, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(codes);
        using var scope = NewDisposeScope();
        var table = tensor(_values).to(dtype, codes.device);
        return table.index_select(0, codes.reshape(-1).to(ScalarType.Int32)).view(codes.shape).MoveToOuterDisposeScope();
    }
}
