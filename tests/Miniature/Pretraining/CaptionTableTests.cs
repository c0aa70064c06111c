using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public sealed class CaptionTableTests : IDisposable
{
    private const int Count = 6;
    private const int Window = 32;

    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly TemporaryFolder _folder = new();
    private readonly MiniatureRecipe _recipe = new() { DiffusionTraining = new() { RareWordShare = 0 } };
    private readonly CaptionTable _table;

    public CaptionTableTests()
    {
        new MiniatureTokenizers(Window).Write(_folder.Path);
        _table = CaptionTable.Create(_recipe, _folder.Path, 100, Count, CombinationSplit.TrainOnly, CPU);
    }

    public void Dispose()
    {
        _table.Dispose();
        _folder.Dispose();
        _scope.Dispose();
    }

    private long[] Ids(string caption) =>
        [.. new[] { "tokenizer", "tokenizer_2", "tokenizer_3" }.SelectMany(
            name => TokenizerLoader.Load(Path.Combine(_folder.Path, name)).EncodePadded(caption, Window))];

    [Fact]
    public void First_OfADrawing_IsItsCaptionInAllTokenizers()
    {
        var spec = _recipe.CaptionedSpec(102, CombinationSplit.TrainOnly);
        var caption = CaptionTable.Caption(_recipe, spec, 102 * (ulong)_recipe.DiffusionTraining.CaptionsPerPicture);
        Assert.Equal(Ids(caption), _table.First(2, 1).data<long>().ToArray());
    }

    [Fact]
    public void Draw_WithoutDropout_GivesCaptionsOfTheDrawingAlone()
    {
        var spec = _recipe.CaptionedSpec(103, CombinationSplit.TrainOnly);
        var captions = Enumerable.Range(0, 4).Select(v => CaptionTable.Caption(_recipe, spec, (103 * 4UL) + (ulong)v))
            .Select(Ids).ToArray();
        var drawn = _table.Draw(full([64], 3L, ScalarType.Int64), 0);
        var rows = Enumerable.Range(0, 64).Select(row => drawn[row].data<long>().ToArray()).ToArray();
        Assert.All(rows, row => Assert.Contains(captions, caption => caption.SequenceEqual(row)));
        Assert.True(rows.Select(row => string.Join(' ', row)).Distinct().Count() > 1);
    }

    [Fact]
    public void Draw_WithDropout_GivesEmptyCaptionsInThatPart()
    {
        var empty = tensor(Ids(""));
        var drawn = _table.Draw(zeros([2000], ScalarType.Int64), 0.25);
        Assert.InRange(drawn.eq(empty).all(1).sum().item<long>(), 400, 600);
        Assert.Equal(0L, _table.Draw(zeros([200], ScalarType.Int64), 0).eq(empty).all(1).sum().item<long>());
    }

    [Fact]
    public void Caption_WithRareWords_PutsThemBeforeTheNoun()
    {
        var recipe = _recipe with { DiffusionTraining = new() { RareWordShare = 1 } };
        for (ulong seed = 0; seed < 40; seed++)
        {
            var spec = WorldSampler.Draw(seed);
            var words = CaptionTable.Caption(recipe, spec, seed).Split(' ');
            var noun = Array.IndexOf(words, spec.Kind.ToString().ToLowerInvariant());
            Assert.Contains(words[noun - 1 < 0 ? 0 : noun - 1], MiniatureVocabulary.RareWords);
        }
    }
}
