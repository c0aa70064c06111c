using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// The captions of painted pictures, several of each in other words, as token ids of the three tokenizers on the training device. Letters:
/// N painted pictures, V captions of each, W window.
/// </summary>
internal sealed class CaptionTable : IDisposable
{
    private static readonly string[] Folders = ["tokenizer", "tokenizer_2", "tokenizer_3"];

    private readonly Tensor _ids;
    private readonly Tensor _empty;
    private readonly int _variants;

    private CaptionTable(Tensor ids, Tensor empty, int variants) => (_ids, _empty, _variants) = (ids, empty, variants);

    /// <summary>Describes and tokenizes the pictures of consecutive seeds.</summary>
    /// <param name="recipe">Captions of each, share of rare words, window.</param>
    /// <param name="tokenizers">Folder with the three tokenizers' folders.</param>
    /// <param name="firstSeed">Seed of the first painted picture.</param>
    /// <param name="count">N.</param>
    /// <param name="split">Which combinations.</param>
    /// <param name="device">Where the ids go.</param>
    public static CaptionTable Create(
        MiniatureRecipe recipe, string tokenizers, ulong firstSeed, int count, CombinationSplit split, Device device)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ITextTokenizer[] kinds = [.. Folders.Select(name => TokenizerLoader.Load(Path.Combine(tokenizers, name)))];
        int window = recipe.TextWindow, variants = recipe.DiffusionTraining.CaptionsPerPicture, row = kinds.Length * window;
        var ids = new int[(long)count * variants * row];
        Parallel.For(0, count, i =>
        {
            var spec = recipe.CaptionedSpec(firstSeed + (ulong)i, split);
            for (var v = 0; v < variants; v++)
                Write(
                    kinds, Caption(recipe, spec, ((firstSeed + (ulong)i) * (ulong)variants) + (ulong)v), window,
                    ids.AsSpan(((i * variants) + v) * row, row));
        });
        var empty = new int[row];
        Write(kinds, string.Empty, window, empty);
        return new CaptionTable(
            tensor(ids, [(long)count * variants, row], ScalarType.Int32).to(device).DetachFromDisposeScope(),
            tensor(empty, [1, row], ScalarType.Int32).to(device).DetachFromDisposeScope(), variants);
    }

    /// <summary>A caption of a painted picture, now and then with a rare word before the subject's noun.</summary>
    /// <param name="recipe">Share of rare words.</param>
    /// <param name="spec">The picture.</param>
    /// <param name="seed">Chooses the wording.</param>
    public static string Caption(MiniatureRecipe recipe, WorldSpec spec, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(spec);
        var caption = Captioner.Describe(spec, seed, recipe.DiffusionTraining.MarksUnsaid);
        var random = new SeededRandom(seed, 400);
        if (!random.Chance(recipe.DiffusionTraining.RareWordShare))
            return caption;
        var words = caption.Split(' ').ToList();
        var noun = words.IndexOf(DrawingAttributes.Kind.Classes[(int)spec.Kind].ToLowerInvariant());
        if (noun < 0)
            return caption;
        words.Insert(noun, random.Pick(MiniatureVocabulary.RareWords));
        if (noun > 0 && words[noun - 1] is "a" or "an" && random.Chance(0.5))
            words.RemoveAt(noun - 1);
        return string.Join(' ', words);
    }

    /// <summary>Captions of painted pictures in random wordings, some of them empty.</summary>
    /// <param name="rows">Numbers of the pictures, int64, <c>[B]</c>.</param>
    /// <param name="dropout">Part of the rows that is empty.</param>
    /// <returns>int64, <c>[B, 3 W]</c>.</returns>
    public Tensor Draw(Tensor rows, double dropout)
    {
        ArgumentNullException.ThrowIfNull(rows);
        using var scope = NewDisposeScope();
        var wording = randint(_variants, [rows.shape[0]], ScalarType.Int64, rows.device);
        var chosen = _ids.index_select(0, rows.mul(KeptScalar.Integer(_variants)).add(wording, KeptScalar.One));
        var dropped = rand([rows.shape[0], 1], ScalarType.Float32, rows.device).lt(KeptScalar.Of(dropout));
        return where(dropped, _empty, chosen).to(ScalarType.Int64).MoveToOuterDisposeScope();
    }

    /// <summary>The first caption of consecutive painted pictures.</summary>
    /// <param name="first">Number of the first painted picture.</param>
    /// <param name="count">How many.</param>
    /// <returns>int64, <c>[B, 3 W]</c>.</returns>
    public Tensor First(int first, int count)
    {
        using var scope = NewDisposeScope();
        return _ids.view(-1, _variants, _ids.shape[1]).narrow(0, first, count).select(1, 0).to(ScalarType.Int64).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the ids.</summary>
    public void Dispose()
    {
        _ids.Dispose();
        _empty.Dispose();
    }

    private static void Write(ITextTokenizer[] kinds, string caption, int window, Span<int> target)
    {
        for (var k = 0; k < kinds.Length; k++)
        {
            var ids = kinds[k].EncodePadded(caption, window);
            for (var i = 0; i < window; i++)
                target[(k * window) + i] = (int)ids[i];
        }
    }
}
