using Dreambooth.Lab.Foundation;
using Google.Protobuf;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// The parts of a <c>spiece.model</c> file (a protobuf <c>ModelProto</c>, sentencepiece_model.proto) that a Unigram tokenizer
/// needs. Written with <see cref="SentencePieceModelWriter"/>.
/// </summary>
internal sealed record SentencePieceModel
{
    internal const int PiecesField = 1;
    internal const int TrainerField = 2;
    internal const int NormalizerField = 3;
    internal const int Unigram = 1;

    /// <summary>The vocabulary; a piece's place is its id.</summary>
    public required IReadOnlyList<SentencePiece> Pieces { get; init; }

    /// <summary>Name of the normalisation, for example <c>nmt_nfkc</c> or <c>identity</c>.</summary>
    public string NormalizerName { get; init; } = "identity";

    /// <summary>The compiled normalisation rules that <see cref="CharsMap"/> reads; empty for none.</summary>
    public ReadOnlyMemory<byte> PrecompiledCharsMap { get; init; }

    /// <summary>Id of the token for what the vocabulary lacks.</summary>
    public int UnkId { get; init; }

    /// <summary>Id of the token that starts a sentence, −1 for none.</summary>
    public int BosId { get; init; } = 1;

    /// <summary>Id of the token that ends a sentence, −1 for none.</summary>
    public int EosId { get; init; } = 2;

    /// <summary>Id of the token that fills a row, −1 for none.</summary>
    public int PadId { get; init; } = -1;

    /// <summary>Reads a model file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model.</returns>
    /// <exception cref="LabException">The file is no SentencePiece model, or not of the Unigram kind.</exception>
    public static SentencePieceModel Read(string path)
    {
        try
        {
            RegularFile.Require(path);
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or IOException)
        {
            throw new LabException($"'{path}' is not a SentencePiece model: {error.Message}", error);
        }
    }

    private static SentencePieceModel Parse(byte[] bytes, string source)
    {
        var pieces = new List<SentencePiece>();
        var model = new SentencePieceModel { Pieces = pieces };
        var input = new CodedInputStream(bytes);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case PiecesField:
                    pieces.Add(ParsePiece(input.ReadBytes()));
                    break;
                case TrainerField:
                    model = ParseTrainer(model, input.ReadBytes(), source);
                    break;
                case NormalizerField:
                    model = ParseNormalizer(model, input.ReadBytes());
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return model.UnkId >= 0 && model.UnkId < pieces.Count
            ? model
            : throw new LabException(
                $"'{source}' is not a SentencePiece model: it has {pieces.Count} pieces and its unknown token would be number "
                + $"{model.UnkId}.");
    }

    private static SentencePiece ParsePiece(ByteString bytes)
    {
        var piece = new SentencePiece("", 0);
        var input = bytes.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    piece = piece with { Text = input.ReadString() };
                    break;
                case 2:
                    piece = piece with { Score = input.ReadFloat() };
                    break;
                case 3:
                    piece = piece with { Type = (SentencePieceType)input.ReadEnum() };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return piece;
    }

    private static SentencePieceModel ParseTrainer(SentencePieceModel model, ByteString bytes, string source)
    {
        var input = bytes.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 3 when input.ReadEnum() is var kind:
                    if (kind != Unigram)
                        throw new LabException(
                            $"'{source}' is a SentencePiece model of kind {kind}; a T5 tokenizer needs the Unigram kind ({Unigram}).");
                    break;
                case 40:
                    model = model with { UnkId = input.ReadInt32() };
                    break;
                case 41:
                    model = model with { BosId = input.ReadInt32() };
                    break;
                case 42:
                    model = model with { EosId = input.ReadInt32() };
                    break;
                case 43:
                    model = model with { PadId = input.ReadInt32() };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return model;
    }

    private static SentencePieceModel ParseNormalizer(SentencePieceModel model, ByteString bytes)
    {
        var input = bytes.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    model = model with { NormalizerName = input.ReadString() };
                    break;
                case 2:
                    model = model with { PrecompiledCharsMap = input.ReadBytes().Memory };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return model;
    }
}
