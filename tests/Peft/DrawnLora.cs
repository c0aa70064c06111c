using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

/// <summary>Small updates of every variant with values drawn from a seed, without a model: layers of 12 × 8.</summary>
internal static class DrawnLora
{
    public const long Out = 12;
    public const long In = 8;
    public const string Path = "transformer_blocks.0.attn.to_q";

    /// <summary>One layer's update.</summary>
    public static LoraContent Layer(
        LoraVariant variant, int rank = 3, double alpha = 6, ulong seed = 1, string path = Path, bool withBias = false)
    {
        var parts = LoraParts.For(
            new LoraConfig { Rank = rank, LoraAlpha = alpha, Variant = variant, LoraBias = withBias, TargetModules = ["any"] }, Out, In);
        Tensor[] tensors = [.. parts.Entries.Select((entry, i) => SeededNoise.Normal(entry.Shape, seed + (ulong)(1000 * i), CPU))];
        return new LoraContent("transformer", path, parts, rank, alpha, alpha / rank, tensors);
    }

    /// <summary>What a layer's matrices do to the weight, factor included, by the layers' own code.</summary>
    public static Tensor Change(LoraContent layer)
    {
        using var factor = KeptScalar.Once(layer.Factor);
        return layer.Parts.Build("a", layer.Tensors, layer.Rank, 1).Change().to(ScalarType.Float64).mul(factor);
    }
}
