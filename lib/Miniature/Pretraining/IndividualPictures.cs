using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.ImageEncoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Several painted pictures of each of many individuals. Letters: P individuals in a step, B pictures.</summary>
internal sealed class IndividualPictures : IDisposable
{
    private readonly PictureStore _pictures;
    private readonly (int First, int Count)[] _groups;
    private readonly int _each;

    private IndividualPictures(PictureStore pictures, (int First, int Count)[] groups, int each) =>
        (_pictures, _groups, _each) = (pictures, groups, each);

    /// <summary>Number of individuals.</summary>
    public int Count => _groups.Sum(group => group.Count);

    /// <summary>Number of pictures.</summary>
    public int Pictures => _pictures.Count;

    /// <summary>Paints individuals in groups, at full size and then small.</summary>
    /// <param name="recipe">Sizes.</param>
    /// <param name="options">Device, threads and pool.</param>
    /// <param name="groups">Individuals; a step takes from each group.</param>
    /// <param name="each">Pictures of each individual.</param>
    /// <param name="size">Side of the small pictures, in pixels.</param>
    /// <param name="name">Name of the pictures in the pool; another name has other pictures.</param>
    /// <param name="firstSeed">Seed of the first picture.</param>
    public static IndividualPictures Paint(
        MiniatureRecipe recipe, PretrainingOptions options, IReadOnlyList<IReadOnlyList<Individual>> groups, int each, int size,
        string name, ulong firstSeed)
    {
        Individual[] all = [.. groups.SelectMany(group => group)];
        var processor = new ImageProcessor(EncoderRecipe.VitProcessor(size), ImageProtocol.Published);
        var store = PictureStore.Start(
            recipe with { PictureSize = size }, options,
            i => processor.Fit(all[i / each].Paint(firstSeed + (ulong)i, recipe.PictureSize)).Pixels, name, all.Length * each);
        store.Fill(int.MaxValue);
        var places = new List<(int, int)>();
        foreach (var group in groups)
            places.Add((places.Sum(place => place.Item2), group.Count));
        return new IndividualPictures(store, [.. places], each);
    }

    /// <summary>Two different pictures of each of some individuals.</summary>
    /// <param name="shares">How many different individuals of each group.</param>
    /// <param name="random">Chooses.</param>
    /// <returns>−1 … 1, float32, <c>[2 P, 3, H, W]</c>: all first pictures, then all second ones.</returns>
    public Tensor DrawPairs(IReadOnlyList<int> shares, SeededRandom random)
    {
        var (firsts, seconds) = (new List<long>(), new List<long>());
        foreach (var ((first, count), share) in _groups.Zip(shares))
        {
            foreach (var individual in Different(count, share, random))
            {
                var picture = random.Index(_each);
                firsts.Add(((first + individual) * _each) + picture);
                seconds.Add(((first + individual) * _each) + ((picture + 1 + random.Index(_each - 1)) % _each));
            }
        }

        using var rows = tensor([.. firsts, .. seconds], ScalarType.Int64);
        return _pictures.Pictures(rows);
    }

    /// <summary>All pictures in their order.</summary>
    /// <returns>−1 … 1, float32, <c>[B, 3, H, W]</c>.</returns>
    public Tensor All() => _pictures.Pictures(0, _pictures.Count);

    /// <inheritdoc/>
    public void Dispose() => _pictures.Dispose();

    // The first places of a shuffle.
    private static IEnumerable<int> Different(int count, int share, SeededRandom random)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (var i = 0; i < Math.Min(share, count); i++)
        {
            var other = i + random.Index(count - i);
            (order[i], order[other]) = (order[other], order[i]);
            yield return order[i];
        }
    }
}
