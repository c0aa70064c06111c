using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>How often a vector finds its own partner among all others. Letters: B rows, D width.</summary>
internal static class Retrieval
{
    /// <summary>The part of the rows whose own partner is among the nearest.</summary>
    /// <param name="queries"><c>[B, D]</c>, of any length.</param>
    /// <param name="candidates">The partners, <c>[B, D]</c>, in the same order.</param>
    /// <param name="nearest">How many are looked at.</param>
    public static double Rate(Tensor queries, Tensor candidates, int nearest = 1)
    {
        using var scope = NewDisposeScope();
        var cosines = nn.functional.normalize(queries, dim: 1).mm(nn.functional.normalize(candidates, dim: 1).t());
        var own = cosines.diagonal().unsqueeze(1);
        var better = cosines.gt(own).to(ScalarType.Int64).sum(1).cpu().data<long>().ToArray();
        return better.Count(count => count < nearest) / (double)better.Length;
    }
}
