using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// What <see cref="AttributeClassifier"/> reads from pictures. Letters: B pictures, F features, K classes of all attributes together.
/// </summary>
/// <param name="Features">Feature vectors, <c>[B, F]</c>; their cosines say how alike two subjects are.</param>
/// <param name="Logits">
/// Scores of all attributes' classes side by side, in the order of <see cref="DrawingAttributes.All"/>, <c>[B, K]</c>.
/// </param>
/// <param name="Identity">Score of "this is the character"; above 0 for yes, <c>[B]</c>.</param>
public sealed record AttributeReading(Tensor Features, Tensor Logits, Tensor Identity)
{
    /// <summary>The scores of one attribute.</summary>
    /// <param name="attribute">One of <see cref="DrawingAttributes.All"/>.</param>
    /// <returns>A view, <c>[B, classes]</c>.</returns>
    public Tensor LogitsOf(DrawingAttribute attribute)
    {
        ArgumentNullException.ThrowIfNull(attribute);
        long start = DrawingAttributes.All.TakeWhile(other => other.Name != attribute.Name).Sum(other => other.Classes.Count);
        return Logits.narrow(1, start, attribute.Classes.Count);
    }

    /// <summary>The features at length 1, <c>[B, F]</c>: their products are cosines.</summary>
    public Tensor UnitFeatures() => nn.functional.normalize(Features, 2, 1);

    /// <summary>
    /// The class that is read of each attribute, in the order of <see cref="DrawingAttributes.All"/>, picture by picture.
    /// </summary>
    public int[][] Classes()
    {
        using var scope = NewDisposeScope();
        long[][] columns = [.. DrawingAttributes.All.Select(attribute => LogitsOf(attribute).argmax(1).cpu().data<long>().ToArray())];
        return [.. Enumerable.Range(0, (int)Logits.shape[0]).Select(row => columns.Select(column => (int)column[row]).ToArray())];
    }

    /// <summary>The mean cosine of pictures' features to those of all other pictures.</summary>
    /// <param name="left">Features of length 1, <c>[N, F]</c>.</param>
    /// <param name="right">Those of the same N pictures, in this or another form, <c>[N, F]</c>.</param>
    public static double MeanOfOthers(Tensor left, Tensor right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        using var scope = NewDisposeScope();
        var cosines = left.mm(right.t());
        var count = left.shape[0];
        return (cosines.sum() - cosines.diagonal().sum()).item<float>() / (count * (count - 1));
    }
}
