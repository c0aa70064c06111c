using System.Collections;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Splits 0 … count − 1 into batches, in a new order every epoch; where items are of several groups, each batch is of one. The order
/// depends only on the seed and the epoch, so a resumed run continues as an uninterrupted one would; it is a Fisher–Yates shuffle, not
/// equal to any other library's. The last batch of an epoch may be smaller, as the reference's data loader leaves it.
/// </summary>
internal sealed class BatchSampler
{
    private readonly IReadOnlyList<int>? _groups;

    /// <summary>Creates the sampler.</summary>
    /// <param name="count">Items in an epoch, at least 1.</param>
    /// <param name="batchSize">Items in a batch, at least 1; more than <paramref name="count"/> gives one smaller batch.</param>
    /// <param name="seed">Any number.</param>
    /// <param name="shuffle">False keeps the order 0, 1, 2, … in every epoch.</param>
    /// <param name="groups">The group of each item; null where all are of one.</param>
    /// <exception cref="LabException">A number is below 1.</exception>
    public BatchSampler(int count, int batchSize, ulong seed, bool shuffle = true, IReadOnlyList<int>? groups = null)
    {
        if (count < 1 || batchSize < 1)
            throw new LabException($"Batches of {batchSize} from {count} items are not possible: both numbers must be at least 1.");
        Count = count;
        BatchSize = batchSize;
        Seed = seed;
        Shuffle = shuffle;
        if (groups is not null && groups.Count != count)
            throw new ArgumentException($"There are {count} items and the groups of {groups.Count}.", nameof(groups));
        _groups = groups?.Distinct().Skip(1).Any() == true ? groups : null;
        int[] sizes = _groups is null ? [count] : [.. _groups.CountBy(group => group).Select(group => group.Value)];
        (Groups, BatchesPerEpoch, LargestBatch) = (sizes.Length, sizes.Sum(Batches), Math.Min(sizes.Max(), batchSize));
    }

    /// <summary>Items in an epoch.</summary>
    public int Count { get; }

    /// <summary>Items in every batch but, possibly, the last of each group.</summary>
    public int BatchSize { get; }

    /// <summary>What the orders depend on, beside the epoch.</summary>
    public ulong Seed { get; }

    /// <summary>Whether the order changes from epoch to epoch.</summary>
    public bool Shuffle { get; }

    /// <summary>Batches in an epoch, the last smaller one included.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>Items of the largest batch.</summary>
    public int LargestBatch { get; }

    /// <summary>How many groups there are; 1 where batches may hold any items.</summary>
    public int Groups { get; }

    /// <summary>The batches of an epoch.</summary>
    /// <param name="epoch">From 0.</param>
    /// <returns>Item numbers; together each of 0 … count − 1 once.</returns>
    public IReadOnlyList<int[]> Epoch(int epoch)
    {
        var order = Enumerable.Range(0, Count).ToArray();
        var draws = new SeededIntegers(Seed, SeededIntegers.Purpose.Order, epoch);
        Mix(order, ref draws);
        if (_groups is null)
            return new Slices(order, BatchSize);
        int[][] batches = [.. order.GroupBy(item => _groups[item]).SelectMany(group => group.Chunk(BatchSize))];
        Mix(batches, ref draws);
        return batches;
    }

    private int Batches(int items) => ((items - 1) / BatchSize) + 1;

    private void Mix<T>(T[] order, ref SeededIntegers draws)
    {
        for (var last = order.Length - 1; last > 0 && Shuffle; last--)
        {
            var other = draws.Below(last + 1);
            (order[last], order[other]) = (order[other], order[last]);
        }
    }

    // Sliced on demand: an epoch of a hundred million items is one array.
    private sealed class Slices(int[] order, int size) : IReadOnlyList<int[]>
    {
        public int Count => ((order.Length - 1) / size) + 1;

        public int[] this[int index]
        {
            get
            {
                ArgumentOutOfRangeException.ThrowIfNegative(index);
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
                return order[(index * size)..(int)Math.Min((index + 1L) * size, order.Length)];
            }
        }

        public IEnumerator<int[]> GetEnumerator() => Enumerable.Range(0, Count).Select(index => this[index]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
