using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Transformers;

/// <summary>
/// Until it is disposed, records how much of each image token's attention goes to some groups of tokens, in chosen blocks, averaged over
/// the heads and summed over the forwards; of a batch the last row is recorded. It is computed beside the forward, which does not change,
/// a few heads at a time: no matrix of all tokens by all tokens is kept. Letters: S image tokens, L text tokens, G groups.
/// </summary>
public sealed class AttentionRecorder : IDisposable
{
    private const int HeadsAtATime = 4;

    private readonly SD3Transformer2DModel _transformer;
    private readonly IReadOnlyList<IReadOnlyList<long>> _groups;
    private readonly List<(int Block, Action<Tensor, Tensor, long> Observer)> _observers = [];
    private readonly SortedDictionary<int, Tensor> _maps = [];

    /// <summary>Begins to record.</summary>
    /// <param name="transformer">The model.</param>
    /// <param name="blocks">Indices of the blocks, from 0; one named twice is recorded once. Several recorders may share a block.</param>
    /// <param name="groups">The tokens of each group: numbers from 0, S image tokens first, then L text tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    public AttentionRecorder(SD3Transformer2DModel transformer, IEnumerable<int> blocks, IReadOnlyList<IReadOnlyList<long>> groups)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        ArgumentNullException.ThrowIfNull(groups);
        (_transformer, _groups) = (transformer, groups);
        int[] chosen = [.. blocks.Distinct()];
        foreach (var block in chosen)
        {
            if (block < 0 || block >= transformer.TransformerBlocks.Count)
                throw new ArgumentOutOfRangeException(
                    nameof(blocks), block, $"Blocks are 0 to {transformer.TransformerBlocks.Count - 1}.");
        }

        foreach (var block in chosen)
        {
            void Observe(Tensor query, Tensor key, long image) => Add(block, query, key, image);
            _observers.Add((block, Observe));
            transformer.TransformerBlocks[block].Attn.HeadsObserver += Observe;
        }
    }

    /// <summary>What was recorded: the block, and fractions of attention summed over the forwards, float32, <c>[G, S]</c>.</summary>
    public IReadOnlyList<(int Block, Tensor Map)> Maps => [.. _maps.Select(entry => (entry.Key, entry.Value))];

    /// <summary>Ends the recording and frees the maps.</summary>
    public void Dispose()
    {
        foreach (var (block, observer) in _observers)
            _transformer.TransformerBlocks[block].Attn.HeadsObserver -= observer;
        _observers.Clear();
        foreach (var map in _maps.Values)
            map.Dispose();
        _maps.Clear();
    }

    // Queries and keys are [B, heads, S + L, head width].
    private void Add(int block, Tensor query, Tensor key, long image)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        long last = query.shape[0] - 1, heads = query.shape[1];
        var queries = query.select(0, last).narrow(1, 0, image);
        var keys = key.select(0, last).transpose(1, 2);
        var members = Members(key.shape[2], key.device);
        var map = zeros([image, _groups.Count], ScalarType.Float32, key.device);
        for (long head = 0; head < heads; head += HeadsAtATime)
        {
            using var few = NewDisposeScope();
            var count = Math.Min(HeadsAtATime, heads - head);
            var scores = matmul(queries.narrow(0, head, count), keys.narrow(0, head, count)).to(ScalarType.Float32);
            var probabilities = softmax(scores.div(KeptScalar.Of(Math.Sqrt(query.shape[3]))), dim: -1);
            map.add_(matmul(probabilities, members).sum(dim: 0), KeptScalar.One);
        }

        map = map.div(KeptScalar.Of(heads)).t();
        if (_maps.TryGetValue(block, out var sum))
            sum.add_(map, KeptScalar.One);
        else
            _maps.Add(block, map.contiguous().DetachFromDisposeScope());
    }

    // [S + L, G]: 1 where a token belongs to a group.
    private Tensor Members(long tokens, Device device)
    {
        var members = new float[tokens, _groups.Count];
        for (var group = 0; group < _groups.Count; group++)
        {
            foreach (var token in _groups[group])
                members[token, group] = 1;
        }

        return tensor(members, device: device);
    }
}
