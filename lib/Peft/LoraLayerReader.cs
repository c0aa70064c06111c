using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// Reads one layer's update from a file. Where the file has queries, keys and values as one layer, each gets its third of the rows of what
/// makes the output, and the whole of the rest; where that one layer was put together from three, each gets its own matrices back.
/// </summary>
internal sealed class LoraLayerReader
{
    private readonly Checkpoint _checkpoint;
    private readonly string _file;
    private readonly LoraKeys.Layer _layer;
    private readonly KeyPart _part;

    private LoraLayerReader(Checkpoint checkpoint, string file, LoraKeys.Layer layer)
    {
        (_checkpoint, _file, _layer) = (checkpoint, file, layer);
        var (height, width) = Size();
        Size2D = (IsThird ? height / 3 : height, width);
        // Of the text's blocks the last one alone is swapped, the one with half as many rows: RowHalves says why.
        _part = layer.Target.Part == KeyPart.SwappedHalves && height != 2 * width ? KeyPart.Whole : layer.Target.Part;
        WrittenRank = RankOf();
        IsOneOfThree = IsThird && layer.Names.ContainsKey(LoraParts.A) && WrittenRank % 3 == 0 && IsBlockDiagonal();
        Parts = new([.. layer.Parts.Select(name => (name, ShapeOf(name)))]);
        var alpha = layer.Alpha(checkpoint, file);
        Alpha = IsOneOfThree ? alpha / 3 : alpha;
    }

    /// <summary>The tensors' names and shapes, as the layer has them.</summary>
    public LoraParts Parts { get; }

    /// <summary>The size of the layer's weight, <c>(out, in)</c>.</summary>
    public (long Out, long In) Size2D { get; }

    /// <summary>The layer.</summary>
    public LoraTarget Target => _layer.Target;

    /// <summary>The layer as the file writes it.</summary>
    public string Written => _layer.Written;

    /// <summary>The rank of the written layer; 0 where its tensors do not tell it.</summary>
    public int WrittenRank { get; }

    /// <summary>Whether the written layer was put together from three with a rank each.</summary>
    public bool IsOneOfThree { get; }

    /// <summary>Whether the layer has only zeros in a written layer that was put together from three: nothing of its own.</summary>
    public bool IsEmpty => IsOneOfThree && IsZero(LoraParts.A) && IsZero(LoraParts.B);

    /// <summary>Rank of the layer's update; 0 where its tensors do not tell it.</summary>
    public int Rank => IsOneOfThree ? WrittenRank / 3 : WrittenRank;

    /// <summary>The alpha of a tensor of the file, for <see cref="Rank"/>; null where there is none.</summary>
    public double? Alpha { get; }

    /// <summary>The tensors' names in the file, with their shapes.</summary>
    public string Description =>
        string.Join(" and ", _layer.Parts.Select(name => $"{_layer.Names[name]} [{string.Join(", ", ShapeIn(name))}]"));

    private bool IsThird => _layer.Target.Part is KeyPart.FirstThird or KeyPart.SecondThird or KeyPart.LastThird;

    private int Third => (int)_layer.Target.Part - (int)KeyPart.FirstThird;

    /// <summary>Reads the layer's shapes and alpha, and of a layer that may be put together from three the values that tell it.</summary>
    /// <param name="checkpoint">The file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="layer">The layer.</param>
    /// <exception cref="LabException">A tensor's type or shape is not that of an update.</exception>
    public static LoraLayerReader Read(Checkpoint checkpoint, string file, LoraKeys.Layer layer)
    {
        foreach (var name in layer.Parts.Select(part => layer.Names[part]))
        {
            var entry = checkpoint.Entries[name];
            if (entry.DType is not (ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16))
                throw new LabException($"{file}: {name} is {entry.DType}; a floating-point type is needed.");
        }

        return new LoraLayerReader(checkpoint, file, layer);
    }

    /// <summary>Loads one tensor.</summary>
    /// <param name="part">Its name in <see cref="LoraParts"/>.</param>
    /// <exception cref="NonFiniteException">A value is not finite.</exception>
    public Tensor Load(string part)
    {
        using var scope = NewDisposeScope();
        var stored = _checkpoint.Load(_layer.Names[part]);
        FiniteCheck.Require(stored, $"{_file}: {_layer.Names[part]}");
        return Own(part, stored).contiguous().MoveToOuterDisposeScope();
    }

    private Tensor Own(string part, Tensor stored)
    {
        var values = Flat(part, stored);
        if (IsOneOfThree && part == LoraParts.A)
            values = values.narrow(0, Third * (long)Rank, Rank);
        return MakesRows(part) ? RowsOf(values, part) : values;
    }

    private Tensor RowsOf(Tensor values, string part)
    {
        var rows = values.shape[0];
        if (IsThird)
        {
            var third = values.narrow(0, Third * (rows / 3), rows / 3);
            return IsOneOfThree && part == LoraParts.B ? third.narrow(1, Third * (long)Rank, Rank) : third;
        }

        return _part == KeyPart.SwappedHalves ? RowHalves.Swap(values) : values;
    }

    private long[] ShapeOf(string part)
    {
        var shape = FlatShape(part);
        var divisor = IsThird ? 3 : _part == KeyPart.SwappedHalves ? 2 : 1;
        if (MakesRows(part) && shape[0] % divisor != 0)
            throw new LabException(
                $"{_file}: {_layer.Names[part]} has {shape[0]} rows, of which {_layer.Target.Key} is one of {divisor} parts; that is no "
                + "whole number. Convert the file to the layers of diffusers with the program that wrote it.");
        if (IsThird && MakesRows(part))
            shape[0] /= 3;
        if (IsOneOfThree && part == LoraParts.A)
            shape[0] /= 3;
        if (IsOneOfThree && part == LoraParts.B)
            shape[1] /= 3;
        return shape;
    }

    private long[] ShapeIn(string part) => _checkpoint.Entries[_layer.Names[part]].Shape;

    // The matrices of a convolution have a patch's or a point's axes; magnitudes are a column in some files.
    private long[] FlatShape(string part)
    {
        var shape = ShapeIn(part);
        if (part is LoraParts.Bias or LoraParts.Magnitude)
            return [LoraParts.Count(shape)];
        return shape.Length < 2 ? throw Unfit(part) : [shape[0], LoraParts.Count(shape[1..])];
    }

    private Tensor Flat(string part, Tensor values) => values.reshape(FlatShape(part));

    private (long Out, long In) Size()
    {
        long Rows(string part) => FlatShape(part)[0];
        long Columns(string part) => FlatShape(part)[1];
        if (_layer.Names.ContainsKey(LoraParts.A))
        {
            if (Rows(LoraParts.A) != Columns(LoraParts.B) || Rows(LoraParts.A) < 1)
                throw Unfit(LoraParts.B);
            foreach (var part in new[] { LoraParts.Bias, LoraParts.Magnitude }.Where(_layer.Names.ContainsKey))
            {
                if (Rows(part) != Rows(LoraParts.B) || ShapeIn(part)[0] != Rows(part))
                    throw Unfit(part);
            }

            return (Rows(LoraParts.B), Columns(LoraParts.A));
        }

        if (_layer.Names.ContainsKey("hada_w1_a"))
        {
            foreach (var (a, b) in new[] { ("hada_w1_a", "hada_w1_b"), ("hada_w2_a", "hada_w2_b") })
            {
                if (Columns(a) != Rows(b) || Rows(b) < 1 || Rows(a) != Rows("hada_w1_a") || Columns(b) != Columns("hada_w1_b"))
                    throw Unfit(b);
            }

            return (Rows("hada_w1_a"), Columns("hada_w1_b"));
        }

        (long Out, long In) one = FactorSize("lokr_w1"), two = FactorSize("lokr_w2");
        return (one.Out * two.Out, one.In * two.In);

        (long Out, long In) FactorSize(string factor)
        {
            if (_layer.Names.ContainsKey(factor))
                return Rows(factor) > 0 && Columns(factor) > 0 ? (Rows(factor), Columns(factor)) : throw Unfit(factor);
            var (a, b) = (factor + "_a", factor + "_b");
            return Columns(a) == Rows(b) && Rows(b) > 0 ? (Rows(a), Columns(b)) : throw Unfit(b);
        }
    }

    private int RankOf()
    {
        var inner = new[] { LoraParts.A, "hada_w1_b", "lokr_w2_b", "lokr_w1_b" }.FirstOrDefault(_layer.Names.ContainsKey);
        return inner is null ? 0 : (int)FlatShape(inner)[0];
    }

    // Whether each third of the output uses its own third of the rank; of the three that ask, one reads the values.
    private bool IsBlockDiagonal()
    {
        if (!_layer.IsJoined.TryGetValue(Written, out var known))
            _layer.IsJoined[Written] = known = ReadsAsBlockDiagonal();
        return known;
    }

    private bool ReadsAsBlockDiagonal()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var up = Flat(LoraParts.B, _checkpoint.Load(_layer.Names[LoraParts.B]));
        long rows = up.shape[0] / 3, rank = up.shape[1] / 3;
        for (var i = 0; i < 3; i++)
        {
            for (var j = 0; j < 3; j++)
            {
                if (i != j && up.narrow(0, i * rows, rows).narrow(1, j * rank, rank).count_nonzero().item<long>() > 0)
                    return false;
            }
        }

        return true;
    }

    internal bool IsZero(string part)
    {
        using var scope = NewDisposeScope();
        var values = Own(part, _checkpoint.Load(_layer.Names[part]));
        // The first row mostly tells.
        return values.narrow(0, 0, 1).count_nonzero().item<long>() == 0 && values.count_nonzero().item<long>() == 0;
    }

    private static bool MakesRows(string part) =>
        part is LoraParts.B or LoraParts.Bias or LoraParts.Magnitude or "hada_w1_a" or "hada_w2_a" or "lokr_w1" or "lokr_w1_a";

    private LabException Unfit(string part) => new(
        $"{_file}: {Description} do not fit {_layer.Target.Key}: {_layer.Names[part]} does not go with the others; the file was made for "
        + "another model, or is damaged.");
}
