using Dreambooth.Lab.Layers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>The tensors of one layer's update by the names that PEFT gives them, in the order of the adapter's buffer.</summary>
/// <param name="Entries">Names and shapes.</param>
internal sealed record LoraParts(IReadOnlyList<(string Name, long[] Shape)> Entries)
{
    /// <summary>Down projection, <c>[rank, in]</c>.</summary>
    public const string A = "lora_A.weight";

    /// <summary>Up projection, <c>[out, rank]</c>.</summary>
    public const string B = "lora_B.weight";

    /// <summary>An update's own bias, <c>[out]</c>.</summary>
    public const string Bias = "lora_B.bias";

    /// <summary>DoRA's magnitudes, <c>[out]</c>.</summary>
    public const string Magnitude = "lora_magnitude_vector";

    /// <summary>All names, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        A, B, Bias, Magnitude, "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b",
        "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b",
    ];

    /// <summary>What they are.</summary>
    public LoraVariant Variant => Entries[0].Name switch
    {
        A => Entries.Any(entry => entry.Name == Magnitude) ? LoraVariant.Dora : LoraVariant.Lora,
        var name => name.StartsWith("hada", StringComparison.Ordinal) ? LoraVariant.Loha : LoraVariant.Lokr,
    };

    /// <summary>How many numbers they hold.</summary>
    public long Length => Entries.Sum(entry => Count(entry.Shape));

    /// <summary>Whether it is a LoKr of two whole factors, whose tensors tell no rank.</summary>
    public bool IsWhole => Entries is [("lokr_w1", _), ("lokr_w2", _)];

    /// <summary>The tensors that a new update of a layer has.</summary>
    /// <param name="config">Variant and rank.</param>
    /// <param name="height">Width of the layer's output.</param>
    /// <param name="width">Width of its input.</param>
    public static LoraParts For(LoraConfig config, long height, long width)
    {
        long rank = config.Rank;
        return new(config.Variant switch
        {
            LoraVariant.Loha =>
                [("hada_w1_a", [height, rank]), ("hada_w1_b", [rank, width]), ("hada_w2_a", [height, rank]), ("hada_w2_b", [rank, width])],
            LoraVariant.Lokr => Kronecker(Split(height), Split(width), rank),
            LoraVariant.Dora => [(A, [rank, width]), (B, [height, rank]), (Magnitude, [height])],
            _ when config.LoraBias => [(A, [rank, width]), (B, [height, rank]), (Bias, [height])],
            _ => [(A, [rank, width]), (B, [height, rank])],
        });
    }

    // As LyCORIS and PEFT: the second factor is a product where the rank is below half of its larger side.
    private static (string Name, long[] Shape)[] Kronecker((long One, long Two) height, (long One, long Two) width, long rank)
    {
        (string, long[]) one = ("lokr_w1", [height.One, width.One]);
        return 2 * rank < Math.Max(height.Two, width.Two)
            ? [one, ("lokr_w2_a", [height.Two, rank]), ("lokr_w2_b", [rank, width.Two])]
            : [one, ("lokr_w2", [height.Two, width.Two])];
    }

    // Two numbers as near to each other as there are, the smaller first.
    private static (long One, long Two) Split(long size)
    {
        var one = (long)Math.Sqrt(size);
        while (size % one != 0)
            one--;
        return (one, size / one);
    }

    /// <summary>What there is or lacks, to be put before "of" a layer; null where the names are a variant's.</summary>
    /// <param name="names">Names, all of <see cref="Names"/>.</param>
    public static string? Fault(IReadOnlyCollection<string> names)
    {
        var kind = names.First()[..4];
        if (names.FirstOrDefault(name => name[..4] != kind) is { } other)
            return $"{names.First()} beside {other}, which is not known here,";
        if (names.FirstOrDefault(name => names.Contains(name + "_a") || names.Contains(name + "_b")) is { } whole)
            return $"{whole} beside its halves, which is not known here,";
        string[] missing = kind switch
        {
            "lora" => [.. new[] { A, B }.Except(names)],
            "hada" => [.. Names.Where(name => name.StartsWith("hada", StringComparison.Ordinal)).Except(names)],
            _ => [.. Missing(names, "lokr_w1"), .. Missing(names, "lokr_w2")],
        };
        if (missing.Length == 0)
            return names.Contains(Bias) && names.Contains(Magnitude) ? $"{Bias} beside {Magnitude}, which is not known here," : null;
        return kind == "lora" ? "only one of the two matrices" : $"no {string.Join(" and ", missing)}";
    }

    /// <summary>Makes the update of tensors with these names.</summary>
    /// <param name="adapter">The adapter's name.</param>
    /// <param name="tensors">The tensors, in the same order.</param>
    /// <param name="rank">The rank.</param>
    /// <param name="scale">Factor of the update.</param>
    public LinearUpdate Build(string adapter, IReadOnlyList<Tensor> tensors, int rank, double scale)
    {
        var of = Entries.Select((entry, i) => (entry.Name, tensors[i])).ToDictionary(StringComparer.Ordinal);
        return Variant switch
        {
            LoraVariant.Lora => new LoraWeights(adapter, of[A], of[B], scale, of.GetValueOrDefault(Bias)),
            LoraVariant.Dora => new DoraWeights(adapter, of[A], of[B], of[Magnitude], scale),
            LoraVariant.Loha => new LohaWeights(adapter, tensors[0], tensors[1], tensors[2], tensors[3], scale),
            _ => new LokrWeights(adapter, Factor("lokr_w1"), Factor("lokr_w2"), rank, scale),
        };

        Tensor[] Factor(string name) => of.TryGetValue(name, out var whole) ? [whole] : [of[name + "_a"], of[name + "_b"]];
    }

    /// <summary>The number of elements of a shape.</summary>
    public static long Count(long[] shape) => shape.Aggregate(1L, static (product, size) => product * size);

    private static string[] Missing(IReadOnlyCollection<string> names, string factor)
    {
        string[] halves = [factor + "_a", factor + "_b"];
        return names.Contains(factor) ? [] : names.Any(halves.Contains) ? [.. halves.Except(names)] : [factor];
    }
}
