using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// Records the joint attention of chosen blocks, averaged over the heads, while it lives; the probabilities are computed
/// beside the forward, which stays as it is. Letters: B rows, S image tokens, L text tokens.
/// </summary>
public sealed class AttentionRecorder : IDisposable
{
    private readonly SD3Transformer2DModel _transformer;
    private readonly List<(int Block, Action<Tensor> Observer)> _observers = [];
    private readonly List<(int Block, Tensor Map)> _maps = [];

    /// <summary>Begins to record.</summary>
    /// <param name="transformer">The model.</param>
    /// <param name="blocks">Indices of the blocks, from 0; one named twice is recorded once. Several recorders may share a block.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    public AttentionRecorder(SD3Transformer2DModel transformer, IEnumerable<int> blocks)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        _transformer = transformer;
        int[] chosen = [.. blocks.Distinct()];
        foreach (var block in chosen)
        {
            if (block < 0 || block >= transformer.TransformerBlocks.Count)
                throw new ArgumentOutOfRangeException(nameof(blocks), block, $"Blocks are 0 to {transformer.TransformerBlocks.Count - 1}.");
        }

        foreach (var block in chosen)
        {
            void Observe(Tensor probabilities) => _maps.Add((block, probabilities.mean([1]).to(ScalarType.Float32).cpu().DetachFromDisposeScope()));
            _observers.Add((block, Observe));
            transformer.TransformerBlocks[block].Attn.ProbabilitiesObserver += Observe;
        }
    }

    /// <summary>What was recorded, in order: the block and who attends to whom, float32 on the CPU, <c>[B, S + L, S + L]</c>, image tokens first.</summary>
    public IReadOnlyList<(int Block, Tensor Map)> Maps => _maps;

    /// <summary>Forgets what was recorded so far.</summary>
    public void Clear()
    {
        foreach (var (_, map) in _maps)
            map.Dispose();
        _maps.Clear();
    }

    /// <summary>Ends the recording and frees the maps.</summary>
    public void Dispose()
    {
        foreach (var (block, observer) in _observers)
            _transformer.TransformerBlocks[block].Attn.ProbabilitiesObserver -= observer;
        _observers.Clear();
        Clear();
    }
}
