using static TorchSharp.torch;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Text as the text encoders give it, in the form that <see cref="PromptCache"/> takes and gives. (The pipelines' own record stands on a
/// higher floor and has no room for encoders without a pooled vector.)
/// </summary>
/// <param name="PromptEmbeds">[B, L, D]: a vector per token position.</param>
/// <param name="PooledPromptEmbeds">[B, P]: a vector per prompt; null where only encoders without one are meant, as T5 alone.</param>
internal sealed record CachedEmbeddings(Tensor PromptEmbeds, Tensor? PooledPromptEmbeds) : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        PromptEmbeds.Dispose();
        PooledPromptEmbeds?.Dispose();
    }
}
