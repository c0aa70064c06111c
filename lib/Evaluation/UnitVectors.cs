using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>Embeddings of pictures or texts, each scaled to length 1, so that a product of two is their cosine.</summary>
internal sealed class UnitVectors
{
    private readonly double[][] _rows;

    private UnitVectors(double[][] rows) => _rows = rows;

    /// <summary>How many there are.</summary>
    public int Count => _rows.Length;

    /// <summary>Scales embeddings.</summary>
    /// <param name="embeddings"><c>[N, E]</c>, any floating-point type and device; N at least 1.</param>
    /// <exception cref="LabException">There is none, or one has no direction: it is 0 or not finite.</exception>
    public static UnitVectors Of(Tensor embeddings)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        if (embeddings.dim() != 2 || embeddings.shape[0] == 0 || embeddings.shape[1] == 0)
        {
            throw new LabException(
                $"Embeddings have shape [{string.Join(", ", embeddings.shape)}]; [N, E] with N and E at least 1 is needed.");
        }

        using var wide = embeddings.detach().to(ScalarType.Float64, CPU).contiguous();
        var values = wide.data<double>().ToArray();
        return new([.. values.Chunk((int)embeddings.shape[1]).Select(Scale)]);
    }

    /// <summary>Several one after the other.</summary>
    /// <param name="parts">At least one.</param>
    public static UnitVectors Join(IEnumerable<UnitVectors> parts) => new([.. parts.SelectMany(part => part._rows)]);

    /// <summary>The cosine of two embeddings.</summary>
    /// <param name="index">One of these.</param>
    /// <param name="other">The others.</param>
    /// <param name="otherIndex">One of the others.</param>
    public double Cosine(int index, UnitVectors other, int otherIndex)
    {
        var (a, b) = (_rows[index], other._rows[otherIndex]);
        if (a.Length != b.Length)
            throw new LabException($"Embeddings of {a.Length} and of {b.Length} numbers cannot be compared: they are of two encoders.");
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static double[] Scale(double[] row, int index)
    {
        var norm = Math.Sqrt(row.Sum(value => value * value));
        if (norm == 0 || !double.IsFinite(norm))
            throw new LabException($"Embedding {index} has length {norm}: it has no direction to compare.");
        return Array.ConvertAll(row, value => value / norm);
    }
}
