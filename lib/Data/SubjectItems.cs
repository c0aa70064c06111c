using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The items of an epoch over all subjects: item i is instance item i mod N, and the class pictures of a set are taken in turn by the
/// instance items of its subjects. With one subject item i has class picture i mod M, as in the reference.
/// </summary>
internal sealed class SubjectItems
{
    private readonly int[] _starts;
    private readonly int[] _setOf;
    private readonly int[] _earlierOfSet;
    private readonly int[] _itemsOfSet;
    private readonly int[] _pictures;

    /// <summary>Counts the items.</summary>
    /// <param name="instances">Of each subject, pictures times repeats.</param>
    /// <param name="setOf">The set of class pictures of each subject; empty without prior preservation.</param>
    /// <param name="pictures">The class pictures in each set.</param>
    /// <exception cref="UsageException">They are more than an epoch can have.</exception>
    public SubjectItems(IReadOnlyList<int> instances, IReadOnlyList<int> setOf, IReadOnlyList<int> pictures)
    {
        (_setOf, _pictures) = ([.. setOf], [.. pictures]);
        _starts = new int[instances.Count];
        _earlierOfSet = new int[instances.Count];
        _itemsOfSet = new int[pictures.Count];
        var all = 0L;
        for (var subject = 0; subject < instances.Count; subject++)
        {
            _starts[subject] = (int)Math.Min(all, int.MaxValue);
            all += instances[subject];
            if (_setOf.Length == 0)
                continue;
            _earlierOfSet[subject] = _itemsOfSet[_setOf[subject]];
            _itemsOfSet[_setOf[subject]] += instances[subject];
        }

        InstanceCount = Checked(all);
        Count = Checked(Enumerable.Range(0, pictures.Count).Select(set => UntilAllAreSeen(set, instances)).Append(all).Max());
    }

    /// <summary>Instance items, N.</summary>
    public int InstanceCount { get; }

    /// <summary>Items of an epoch: as many as give every instance item and every class picture its turn.</summary>
    public int Count { get; }

    /// <summary>The subject of an instance item, and the item's number among its own.</summary>
    /// <param name="item">0 … N − 1.</param>
    public (int Subject, int Own) SubjectOf(int item)
    {
        var subject = Array.BinarySearch(_starts, item);
        if (subject < 0)
            subject = ~subject - 1;
        return (subject, item - _starts[subject]);
    }

    /// <summary>The set of class pictures that an item takes one of, and which.</summary>
    /// <param name="item">0 … <see cref="Count"/> − 1.</param>
    public (int Set, int Picture) ClassOf(int item)
    {
        var (round, place) = Math.DivRem(item, InstanceCount);
        var (subject, own) = SubjectOf(place);
        var set = _setOf[subject];
        return (set, (int)((((long)round * _itemsOfSet[set]) + _earlierOfSet[subject] + own) % _pictures[set]));
    }

    private long UntilAllAreSeen(int set, IReadOnlyList<int> instances)
    {
        var (rounds, rest) = Math.DivRem(_pictures[set], _itemsOfSet[set]);
        var last = Enumerable.Range(0, instances.Count)
            .FirstOrDefault(subject => _setOf[subject] == set && _earlierOfSet[subject] + instances[subject] >= rest);
        return ((long)rounds * InstanceCount) + (rest == 0 ? 0 : _starts[last] + rest - _earlierOfSet[last]);
    }

    private static int Checked(long items) => items <= Array.MaxLength ? (int)items : throw new UsageException(
        $"An epoch would have {items} items, pictures times repeats over all subjects; at most {Array.MaxLength} are possible.");
}
