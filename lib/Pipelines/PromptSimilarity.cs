using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>How similar prompts are for the model: the cosine of their pooled embeddings, 1 for the same direction.</summary>
/// <param name="Prompts">The prompts.</param>
/// <param name="Cosines">One row and one column for each prompt, −1 to 1.</param>
public sealed record PromptSimilarity(IReadOnlyList<string> Prompts, double[,] Cosines)
{
    /// <summary>Encodes prompts and compares each with each.</summary>
    /// <param name="encoder">The text encoders, with whatever LoRA they carry.</param>
    /// <param name="prompts">At least one prompt.</param>
    public static PromptSimilarity Of(PromptEncoder encoder, IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(prompts);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var pooled = encoder.Encode(prompts).PooledPromptEmbeds.to(ScalarType.Float64);
        var unit = pooled / pooled.norm(1, keepdim: true);
        var cosines = matmul(unit, unit.t()).cpu().data<double>().ToArray();
        var table = new double[prompts.Count, prompts.Count];
        Buffer.BlockCopy(cosines, 0, table, 0, cosines.Length * sizeof(double));
        return new PromptSimilarity(prompts, table);
    }
}
