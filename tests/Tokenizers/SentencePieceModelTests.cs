using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Tokenizers;

public sealed class SentencePieceModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string ModelPath => Path.Combine(_folder.Path, "spiece.model");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_SmallModel_ReadsBackEqualAndTokenizes()
    {
        var model = new SentencePieceModel
        {
            Pieces =
            [
                new("<pad>", 0, SentencePieceType.Control), new("</s>", 0, SentencePieceType.Control),
                new("<unk>", 0, SentencePieceType.Unknown),
                new("▁", -2), new("▁cat", -1.5f), new("s", -3),
            ],
            UnkId = 2,
            BosId = -1,
            EosId = 1,
            PadId = 0,
        };
        SentencePieceModelWriter.Write(model, ModelPath);
        var read = SentencePieceModel.Read(ModelPath);
        Assert.Equal(model.Pieces, read.Pieces);
        Assert.Equal(
            (2, -1, 1, 0, "identity", true),
            (read.UnkId, read.BosId, read.EosId, read.PadId, read.NormalizerName, read.PrecompiledCharsMap.IsEmpty));
        var tokenizer = new T5Tokenizer(TokenizerConfig.Read(TinyTokenizers.Folder("tokenizer_3")) with { ExtraIds = 0 }, ModelPath);
        Assert.Equal([4, 5, 3, 2, 1], tokenizer.Encode("cats xy"));
    }

    [Fact]
    public void Write_FixtureModel_KeepsItsRules()
    {
        var model = SentencePieceModel.Read(Path.Combine(TinyTokenizers.Root, "t5", "spiece.model"));
        SentencePieceModelWriter.Write(model, ModelPath);
        var read = SentencePieceModel.Read(ModelPath);
        Assert.Equal(model.Pieces, read.Pieces);
        Assert.True(model.PrecompiledCharsMap.Span.SequenceEqual(read.PrecompiledCharsMap.Span));
        Assert.False(read.PrecompiledCharsMap.IsEmpty);
    }

    [Fact]
    public void ToBytes_PieceTwiceOrIdOutside_Throws()
    {
        Assert.Throws<ArgumentException>(
            () => SentencePieceModelWriter.ToBytes(new SentencePieceModel { Pieces = [new("a", 0), new("a", 0), new("b", 0)] }));
        Assert.Throws<ArgumentException>(
            () => SentencePieceModelWriter.ToBytes(new SentencePieceModel { Pieces = [new("a", 0), new("b", 0)], EosId = 2 }));
    }

    [Fact]
    public void Read_EveryTruncationOfAModel_IsAClearErrorOrAModel()
    {
        var bytes = File.ReadAllBytes(Path.Combine(TinyTokenizers.Root, "t5", "spiece.model"));
        var refused = 0;
        for (var length = 0; length < bytes.Length; length += 7)
        {
            File.WriteAllBytes(ModelPath, bytes[..length]);
            try
            {
                SentencePieceModel.Read(ModelPath);
            }
            catch (LabException error)
            {
                Assert.Contains("spiece.model", error.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.InRange(refused, bytes.Length / 7 / 2, bytes.Length);
    }

    [Fact]
    public void Constructor_DamagedRules_NamesTheFile()
    {
        var model = SentencePieceModel.Read(Path.Combine(TinyTokenizers.Root, "t5", "spiece.model"));
        SentencePieceModelWriter.Write(model with { PrecompiledCharsMap = new byte[] { 255, 255, 255, 255, 1 } }, ModelPath);
        var error = Assert.Throws<LabException>(
            () => new T5Tokenizer(TokenizerConfig.Read(TinyTokenizers.Folder("tokenizer_3")), ModelPath));
        Assert.Contains("spiece.model", error.Message, StringComparison.Ordinal);
    }
}
