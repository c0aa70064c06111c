using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Numbers in 8 bits with a scale for every 256 of them: what an optimizer remembers needs no more (Dettmers et al. 2021, arXiv:2110.02861,
/// block-wise).
/// Letters: N numbers, K = ⌈N / 256⌉ blocks.
/// </summary>
internal static class BlockCode
{
    private const int Block = 256;
    private const double Levels = 127;

    // Magnitudes from 2^-24 of the block's largest up, so that a mean square keeps its small values: a step divides by its root.
    private const double Octaves = 24;
    private const double LogLevels = 254;

    private static readonly TorchSharp.Scalar s_least = KeptScalar.Of(1e-38);

    /// <summary>Signed numbers: 255 even levels up to the block's largest magnitude.</summary>
    /// <param name="values">float32, <c>[N]</c>.</param>
    /// <returns>Codes, int8, <c>[N]</c>, and scales, float32, <c>[K]</c>.</returns>
    public static (Tensor Codes, Tensor Scales) EncodeSigned(Tensor values)
    {
        using var scope = NewDisposeScope();
        var blocks = Blocks(values);
        var scales = blocks.abs().amax([1], keepdim: true);
        var codes = (blocks / scales.clamp(min: s_least)).mul(KeptScalar.Of(Levels)).round().to(ScalarType.Int8);
        return (Cut(codes, values.numel()).MoveToOuterDisposeScope(), scales.flatten().MoveToOuterDisposeScope());
    }

    /// <summary>What <see cref="EncodeSigned"/> was given, within 1/254 of the block's largest magnitude.</summary>
    public static Tensor DecodeSigned(Tensor codes, Tensor scales)
    {
        using var scope = NewDisposeScope();
        var steps = scales.unsqueeze(1).div(KeptScalar.Of(Levels));
        return Cut(Blocks(codes.to(ScalarType.Float32)) * steps, codes.numel()).MoveToOuterDisposeScope();
    }

    /// <summary>Numbers from 0 up: 255 even steps of their logarithm below the block's largest, and 0.</summary>
    /// <param name="values">float32, at least 0, <c>[N]</c>.</param>
    /// <returns>Codes, uint8, <c>[N]</c>, and scales, float32, <c>[K]</c>.</returns>
    public static (Tensor Codes, Tensor Scales) EncodePositive(Tensor values)
    {
        using var scope = NewDisposeScope();
        var blocks = Blocks(values);
        var scales = blocks.amax([1], keepdim: true);
        var depth = (blocks / scales.clamp(min: s_least)).clamp(min: s_least).log2();
        var codes = depth.div(KeptScalar.Of(Octaves)).mul(KeptScalar.Of(LogLevels)).add(KeptScalar.Of(255), KeptScalar.One).round()
            .clamp(KeptScalar.One, KeptScalar.Of(255));
        codes = where(blocks.gt(KeptScalar.Of(0)), codes, zeros_like(codes)).to(ScalarType.Byte);
        return (Cut(codes, values.numel()).MoveToOuterDisposeScope(), scales.flatten().MoveToOuterDisposeScope());
    }

    /// <summary>
    /// What <see cref="EncodePositive"/> was given, within 4 % of each value; values below 2⁻²⁴ of the block's largest become that.
    /// </summary>
    public static Tensor DecodePositive(Tensor codes, Tensor scales)
    {
        using var scope = NewDisposeScope();
        var blocks = Blocks(codes.to(ScalarType.Float32));
        var values = blocks.sub(KeptScalar.Of(255)).mul(KeptScalar.Of(Octaves / LogLevels)).exp2() * scales.unsqueeze(1);
        return Cut(where(blocks.gt(KeptScalar.Of(0)), values, zeros_like(values)), codes.numel()).MoveToOuterDisposeScope();
    }

    private static Tensor Blocks(Tensor flat)
    {
        var missing = (Block - (flat.numel() % Block)) % Block;
        return nn.functional.pad(flat, [0, missing]).view(-1, Block);
    }

    private static Tensor Cut(Tensor blocks, long count) => blocks.flatten().narrow(0, 0, count).clone();
}
