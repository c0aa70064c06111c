using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Muon's steps (Jordan et al. 2024, kellerjordan.github.io/posts/muon) for the matrices inside blocks, in place of AdamW's: the mean of
/// the gradients with its singular values brought near 1 by five Newton-Schulz iterations, scaled to the size of AdamW's steps (Liu et
/// al. 2025, arXiv:2502.16982) so that both take the same rates. Letters: G matrices of one shape, r rows, c columns.
/// </summary>
internal sealed class OrthogonalSteps : IDisposable
{
    private const int Iterations = 5;

    private readonly FlatParameters _weights;
    private readonly List<Group> _groups;
    private readonly ScalarType _dtype;

    /// <summary>Finds the matrices.</summary>
    /// <param name="weights">All parameters.</param>
    public OrthogonalSteps(FlatParameters weights)
    {
        _weights = weights;
        _dtype = weights.Values.device_type == TorchSharp.DeviceType.CUDA ? ScalarType.BFloat16 : ScalarType.Float32;
        using var noGradients = no_grad();
        _groups = [.. weights.Places.Where(place => IsInner(place.Path, place.Shape)).GroupBy(place => (place.Shape[0], place.Shape[1]))
            .Select(group => Group.Of(group.Key.Item1, group.Key.Item2, [.. group.Select(place => place.Offset)], weights.Values.device))];
    }

    /// <summary>Number of matrices that are stepped so.</summary>
    public long Count => _groups.Sum(group => group.Count);

    /// <summary>Whether a parameter is a matrix inside a block: embeddings, first and last products are left to AdamW.</summary>
    /// <param name="path">Its name.</param>
    /// <param name="shape">Its shape.</param>
    public static bool IsInner(string path, IReadOnlyList<long> shape) =>
        shape.Count == 2 && (path.Contains("_blocks.", StringComparison.Ordinal) || path.Contains(".layers.", StringComparison.Ordinal)
            || path.Contains(".block.", StringComparison.Ordinal)) && !path.Contains("relative_attention_bias", StringComparison.Ordinal);

    /// <summary>Takes AdamW's step for all, then Muon's in its place for the matrices.</summary>
    /// <param name="adamW">AdamW's step.</param>
    /// <param name="mean">AdamW's mean of the gradients, <c>[N]</c>, which its step brings up to date.</param>
    /// <param name="decay">The mean's decay.</param>
    /// <param name="rate">The learning rate of this step.</param>
    public void Run(Action adamW, Tensor mean, double decay, double rate)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var before = _groups.Select(group => _weights.Values.index_select(0, group.Places)).ToList();
        adamW();
        foreach (var (group, values) in _groups.Zip(before))
        {
            using var inner = NewDisposeScope();
            var ahead = mean.index_select(0, group.Places).mul_(KeptScalar.Of(decay))
                .add_(_weights.Gradients.index_select(0, group.Places), KeptScalar.Of(1 - decay));
            var step = Orthogonal(ahead.view(group.Count, group.Rows, group.Columns).to(_dtype)).to(ScalarType.Float32).reshape(-1);
            using var scale = KeptScalar.Once(-rate * 0.2 * Math.Sqrt(Math.Max(group.Rows, group.Columns)));
            _weights.Values.index_copy_(0, group.Places, values.add_(step, scale));
        }
    }

    /// <summary>Matrices with the same singular vectors and singular values near 1.</summary>
    /// <param name="matrices"><c>[G, r, c]</c>.</param>
    /// <returns><c>[G, r, c]</c>.</returns>
    public static Tensor Orthogonal(Tensor matrices)
    {
        using var scope = NewDisposeScope();
        var tall = matrices.shape[1] > matrices.shape[2];
        var x = tall ? matrices.transpose(1, 2) : matrices;
        var whole = x.to(ScalarType.Float32);
        x = x / (whole * whole).sum([1, 2], keepdim: true).sqrt().add(KeptScalar.Of(1e-12), KeptScalar.One).to(x.dtype);
        for (var i = 0; i < Iterations; i++)
        {
            var a = x.bmm(x.transpose(1, 2));
            var b = (a * KeptScalar.Of(-4.7750)).add_(a.bmm(a), KeptScalar.Of(2.0315));
            x = (x * KeptScalar.Of(3.4445)).add_(b.bmm(x), KeptScalar.One);
        }

        return (tall ? x.transpose(1, 2) : x).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the tables of places.</summary>
    public void Dispose()
    {
        foreach (var group in _groups)
            group.Places.Dispose();
    }

    // Places: where the elements of the matrices lie among all, int64, [G·r·c].
    private sealed record Group(Tensor Places, long Count, long Rows, long Columns)
    {
        public static Group Of(long rows, long columns, long[] offsets, Device device)
        {
            using var scope = NewDisposeScope();
            var first = tensor(offsets, ScalarType.Int64, device).unsqueeze(1);
            var places = first.add(KeptScalar.Range(0, rows * columns, ScalarType.Int64, device).unsqueeze(0), KeptScalar.One).reshape(-1);
            return new Group(places.DetachFromDisposeScope(), offsets.Length, rows, columns);
        }
    }
}
