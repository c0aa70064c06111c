using Dreambooth.Lab.Layers.Fused;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Queries, keys and values of the image's tokens and, behind them, of the text's, in the form that attention reads; queries and keys
/// RMS-normalised per head. Letters: B rows, S image tokens, L text tokens, D width = H heads × W.
/// </summary>
internal static class JointHeads
{
    /// <summary>Joins, on CUDA in one pass over memory (<see cref="FusedJointHeads"/>).</summary>
    /// <param name="heads">H.</param>
    /// <param name="image">Queries, keys and values of the image, each <c>[B, S, D]</c>.</param>
    /// <param name="imageNorms">The norms of the image's queries and keys, or nulls.</param>
    /// <param name="text">Those of the text, each <c>[B, L, D]</c>, or null.</param>
    /// <param name="textNorms">The norms of the text's queries and keys, or nulls.</param>
    /// <returns>Queries, keys and values, each <c>[B, S + L, H, W]</c>.</returns>
    public static Tensor[] Join(long heads, Tensor[] image, RMSNorm?[] imageNorms, Tensor[]? text, RMSNorm?[] textNorms) =>
        FusedJointHeads.Find(heads, image, imageNorms, text, textNorms)?.Run() ?? JoinPlainly(heads, image, imageNorms, text, textNorms);

    /// <summary>The same by libtorch's operations.</summary>
    public static Tensor[] JoinPlainly(long heads, Tensor[] image, RMSNorm?[] imageNorms, Tensor[]? text, RMSNorm?[] textNorms)
    {
        Tensor Heads(Tensor projection, RMSNorm? norm)
        {
            var split = projection.view(projection.shape[0], projection.shape[1], heads, projection.shape[2] / heads);
            return norm?.call(split) ?? split;
        }

        Tensor Join(int i)
        {
            using var scope = NewDisposeScope();
            // Values have no norm.
            var ofImage = Heads(image[i], i < 2 ? imageNorms[i] : null);
            var joint = text is null ? ofImage : cat([ofImage, Heads(text[i], i < 2 ? textNorms[i] : null)], dim: 1);
            return joint.MoveToOuterDisposeScope();
        }

        return [Join(0), Join(1), Join(2)];
    }
}
