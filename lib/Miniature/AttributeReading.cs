using Dreambooth.Lab.Miniature.World;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature;

/// <summary>What <see cref="AttributeClassifier"/> reads from pictures. Letters: B pictures, F features, K classes of all attributes together.</summary>
/// <param name="Features">Feature vectors, <c>[B, F]</c>; their cosines say how alike two subjects are.</param>
/// <param name="Logits">Scores of all attributes' classes side by side, in the order of <see cref="DrawingAttributes.All"/>, <c>[B, K]</c>.</param>
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
}
