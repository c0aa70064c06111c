using System.Collections;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Splits 0 … count − 1 into batches, in a new order every epoch. The order depends only on the seed and the epoch, so a resumed run
/// continues as an uninterrupted one would; it is a Fisher–Yates shuffle, not equal to any other library's. The last batch of an epoch may
/// be smaller, as the reference's data loader leaves it.
/// </summary>
internal sealed class BatchSampler
{
    /// <summary>Creates the sampler.</summary>
    /// <param name="count">Items in an epoch, at least 1.</param>
    /// <param name="batchSize">Items in a batch, at least 1; more than <paramref name="count"/> gives one smaller batch.</param>
    /// <param name="seed">Any number.</param>
    /// <param name="shuffle">False keeps the order 0, 1, 2, … in every epoch.</param>
    /// <exception cref="LabException">A number is below 1.</exception>
    public BatchSampler(int count, int batchSize, ulong seed, bool shuffle = true)
    {
        if (count < 1 || batchSize < 1)
            throw new LabException($"Batches of {batchSize} from {count} items are not possible: both numbers must be at least 1.");
        Count = count;
        BatchSize = batchSize;
        Seed = seed;
        Shuffle = shuffle;
    }

    /// <summary>Items in an epoch.</summary>
    public int Count { get; }

    /// <summary>Items in every batch but, possibly, the last.</summary>
    public int BatchSize { get; }

    /// <summary>What the orders depend on, beside the epoch.</summary>
    public ulong Seed { get; }

    /// <summary>Whether the order changes from epoch to epoch.</summary>
    public bool Shuffle { get; }

    /// <summary>Batches in an epoch, the last smaller one included.</summary>
    public int BatchesPerEpoch => ((Count - 1) / BatchSize) + 1;

    /// <summary>The batches of an epoch.</summary>
    /// <param name="epoch">From 0.</param>
    /// <returns>Item numbers; together each of 0 … count − 1 once.</returns>
    public IReadOnlyList<int[]> Epoch(int epoch)
    {
        var order = Enumerable.Range(0, Count).ToArray();
        var draws = new SeededIntegers(Seed, SeededIntegers.Purpose.Order, epoch);
        for (var last = Count - 1; last > 0 && Shuffle; last--)
        {
            var other = draws.Below(last + 1);
            (order[last], order[other]) = (order[other], order[last]);
        }

        return new Batches(order, BatchSize);
    }

    // Sliced on demand: an epoch of a hundred million items is one array.
    private sealed class Batches(int[] order, int size) : IReadOnlyList<int[]>
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
