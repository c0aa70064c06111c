using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Prompts as the transformer takes them. Letters: B rows, L text tokens, D text width, P pooled width.</summary>
/// <param name="PromptEmbeds">CLIP's tokens, then T5's, <c>[B, L, D]</c>.</param>
/// <param name="PooledPromptEmbeds">Both CLIP encoders' pooled vectors side by side, <c>[B, P]</c>.</param>
public sealed record PromptEmbeddings(Tensor PromptEmbeds, Tensor PooledPromptEmbeds) : IDisposable
{
    /// <summary>Number of rows.</summary>
    public long Rows => PromptEmbeds.shape[0];

    /// <summary>Stacks rows of several prompts, in order.</summary>
    /// <param name="parts">Embeddings with equal L.</param>
    public static PromptEmbeddings Concat(IReadOnlyList<PromptEmbeddings> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return new(
            cat([.. parts.Select(part => part.PromptEmbeds)], dim: 0), cat([.. parts.Select(part => part.PooledPromptEmbeds)], dim: 0));
    }

    /// <summary>Repeats each row: p0 p0 p1 p1 for two pictures per prompt.</summary>
    /// <param name="count">How often, 1 or more.</param>
    public PromptEmbeddings RepeatEach(long count) =>
        new(PromptEmbeds.repeat_interleave(count, dim: 0), PooledPromptEmbeds.repeat_interleave(count, dim: 0));

    /// <summary>Moves the tensors out of the current dispose scope into the one around it.</summary>
    public PromptEmbeddings MoveToOuterDisposeScope()
    {
        PromptEmbeds.MoveToOuterDisposeScope();
        PooledPromptEmbeds.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        PromptEmbeds.Dispose();
        PooledPromptEmbeds.Dispose();
    }
}
