using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Losses that pull vectors of the same thing together and push all others of a batch apart. Letters: B rows, D width.</summary>
internal static class ContrastiveLoss
{
    /// <summary>Keeps a row from being its own partner.</summary>
    private const float Excluded = -1e4f;

    /// <summary>
    /// Who is whose partner when every individual is there in two pictures, each in two views: rows run over views, then pictures, then
    /// individuals.
    /// </summary>
    /// <param name="individuals">How many; B is four times as many.</param>
    /// <param name="samePicture">The part of the other view of the same picture; the other picture's two views share the rest.</param>
    /// <param name="device">Where it lies.</param>
    /// <returns>float32, <c>[B, B]</c>; rows add up to 1, and nothing is its own partner.</returns>
    public static Tensor Partners(int individuals, double samePicture, Device device)
    {
        var rows = 4 * individuals;
        var table = new float[rows * rows];
        for (var row = 0; row < rows; row++)
        {
            var (view, picture, individual) = (row / (2 * individuals), row / individuals % 2, row % individuals);
            for (var other = 0; other < 4; other++)
            {
                var (otherView, otherPicture) = (other / 2, other % 2);
                if ((otherView, otherPicture) != (view, picture))
                    table[(row * rows) + (other * individuals) + individual] = (float)(otherPicture == picture
                        ? samePicture : (1 - samePicture) / 2);
            }
        }

        return tensor(table, [rows, rows], device: device);
    }

    /// <summary>
    /// The supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362) with partners of different weight: the cross-entropy of
    /// which other row is a partner.
    /// </summary>
    /// <param name="embeddings">float32, <c>[B, D]</c>, of any length.</param>
    /// <param name="partners">As <see cref="Partners"/> gives them.</param>
    /// <param name="temperature">What cosines are divided by.</param>
    /// <returns>A tensor of rank 0.</returns>
    public static Tensor OfIndividuals(Tensor embeddings, Tensor partners, double temperature)
    {
        using var scope = NewDisposeScope();
        var units = nn.functional.normalize(embeddings, dim: 1);
        var excluded = eye(partners.shape[0], dtype: ScalarType.Float32, device: partners.device).mul(KeptScalar.Of(Excluded));
        var logits = units.mm(units.t()).div(KeptScalar.Of(temperature)).add(excluded, KeptScalar.One);
        return nn.functional.log_softmax(logits, 1).mul(partners).sum(1).mean().neg().MoveToOuterDisposeScope();
    }

    /// <summary>CLIP's loss (Radford et al. 2021, arXiv:2103.00020): which text is a picture's own, and which picture a text's.</summary>
    /// <param name="images">float32, <c>[B, D]</c>, of any length.</param>
    /// <param name="texts">Their texts', in the same order.</param>
    /// <param name="temperature">What cosines are divided by.</param>
    /// <returns>A tensor of rank 0.</returns>
    public static Tensor OfPairs(Tensor images, Tensor texts, double temperature)
    {
        using var scope = NewDisposeScope();
        var cosines = nn.functional.normalize(images, dim: 1).mm(nn.functional.normalize(texts, dim: 1).t());
        var logits = cosines.div(KeptScalar.Of(temperature));
        var own = KeptScalar.Range(0, images.shape[0], ScalarType.Int64, images.device);
        return nn.functional.cross_entropy(logits, own).add(nn.functional.cross_entropy(logits.t(), own), KeptScalar.One)
            .mul(KeptScalar.Of(0.5)).MoveToOuterDisposeScope();
    }
}
