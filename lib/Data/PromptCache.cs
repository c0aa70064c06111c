using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The embeddings of a run's prompts, each distinct prompt encoded once. Letters: N prompts, B rows, L token positions, D and P widths.
/// </summary>
internal sealed class PromptCache : IDisposable
{
    private readonly Dictionary<string, long> _index;
    private readonly CachedEmbeddings _embeddings;

    private PromptCache(Dictionary<string, long> index, CachedEmbeddings embeddings)
    {
        _index = index;
        _embeddings = embeddings;
    }

    /// <summary>N, how many distinct prompts are held.</summary>
    public int Count => _index.Count;

    /// <summary>Encodes prompts.</summary>
    /// <param name="prompts">At least one; repeated ones are encoded once.</param>
    /// <param name="encode">From one prompt to its embedding, [1, L, D] and [1, P] (or null), which the cache disposes.</param>
    /// <returns>The cache; it owns its tensors whatever dispose scope is open.</returns>
    /// <exception cref="LabException">There is no prompt, or embeddings have different shapes.</exception>
    public static PromptCache Build(IEnumerable<string> prompts, Func<string, CachedEmbeddings> encode)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(encode);
        var distinct = prompts.Distinct(StringComparer.Ordinal).ToArray();
        if (distinct.Length == 0)
            throw new LabException("There are no prompts to encode: at least one is needed.");
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        List<CachedEmbeddings> encoded = [];
        try
        {
            foreach (var prompt in distinct)
            {
                encoded.Add(encode(prompt));
                CheckShapes(prompt, encoded[0], encoded[^1]);
            }

            var embeds = cat([.. encoded.Select(one => one.PromptEmbeds)]).DetachFromDisposeScope();
            var pooled = encoded[0].PooledPromptEmbeds is null
                ? null
                : cat([.. encoded.Select(one => one.PooledPromptEmbeds!)]).DetachFromDisposeScope();
            var index = distinct.Select((prompt, place) => (prompt, place))
                .ToDictionary(pair => pair.prompt, pair => (long)pair.place, StringComparer.Ordinal);
            return new PromptCache(index, new CachedEmbeddings(embeds, pooled));
        }
        finally
        {
            encoded.ForEach(one => one.Dispose());
        }
    }

    /// <summary>The embeddings of rows.</summary>
    /// <param name="prompts">B prompts that were encoded; repeats are fine.</param>
    /// <returns>Copies, [B, L, D] and [B, P], in the prompts' order; the caller disposes them.</returns>
    /// <exception cref="LabException">A prompt was not encoded.</exception>
    public CachedEmbeddings Embeddings(IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        using var scope = NewDisposeScope();
        var places = tensor(prompts.Select(Place).ToArray()).to(_embeddings.PromptEmbeds.device);
        return new CachedEmbeddings(
            _embeddings.PromptEmbeds.index_select(0, places).MoveToOuterDisposeScope(),
            _embeddings.PooledPromptEmbeds?.index_select(0, places).MoveToOuterDisposeScope());
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose() => _embeddings.Dispose();

    private static void CheckShapes(string prompt, CachedEmbeddings first, CachedEmbeddings other)
    {
        if (other.PromptEmbeds.shape[0] != 1)
            throw new LabException($"Encoding \"{ShownText.Line(prompt)}\" gave {other.PromptEmbeds.shape[0]} rows; one is expected.");
        if (!first.PromptEmbeds.shape.SequenceEqual(other.PromptEmbeds.shape)
            || first.PooledPromptEmbeds is null != other.PooledPromptEmbeds is null)
        {
            throw new LabException(
                $"The embedding of the prompt \"{ShownText.Line(prompt)}\" has another form than the first prompt's: all prompts of a "
                + "cache go through the same encoders and lengths.");
        }
    }

    private long Place(string prompt) => _index.TryGetValue(prompt, out var place)
        ? place
        : throw new LabException($"The prompt \"{ShownText.Line(prompt)}\" was not encoded; the cache holds {Count} other prompts.");
}
