using Dreambooth.Lab.Foundation;
using Google.Protobuf;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>Writes Unigram models in the published <c>spiece.model</c> format, which SentencePiece itself reads.</summary>
internal static class SentencePieceModelWriter
{
    /// <summary>Writes a model file.</summary>
    /// <param name="model">The model; its unknown token must be one of its pieces.</param>
    /// <param name="path">The file, replaced whole.</param>
    /// <exception cref="ArgumentException">A piece is empty or listed twice, or an id is outside the vocabulary.</exception>
    public static void Write(SentencePieceModel model, string path) => AtomicFile.Write(path, file => file.Write(ToBytes(model)));

    /// <summary>The bytes of a model file.</summary>
    /// <param name="model">The model.</param>
    /// <returns>A serialised <c>ModelProto</c>.</returns>
    /// <exception cref="ArgumentException">A piece is empty or listed twice, or an id is outside the vocabulary.</exception>
    public static byte[] ToBytes(SentencePieceModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Check(model);
        return Message(output =>
        {
            foreach (var piece in model.Pieces)
                Nested(output, SentencePieceModel.PiecesField, body => WritePiece(body, piece));
            Nested(output, SentencePieceModel.TrainerField, body => WriteTrainer(body, model));
            Nested(output, SentencePieceModel.NormalizerField, body => WriteNormalizer(body, model));
        });
    }

    private static void Check(SentencePieceModel model)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var piece in model.Pieces)
            if (piece.Text.Length == 0 || !seen.Add(piece.Text))
                throw new ArgumentException($"The piece '{piece.Text}' is empty or listed twice.", nameof(model));
        foreach (var (name, id, least) in new[] { ("UnkId", model.UnkId, 0), ("BosId", model.BosId, -1), ("EosId", model.EosId, -1),
            ("PadId", model.PadId, -1) })
            if (id < least || id >= model.Pieces.Count)
                throw new ArgumentException($"{name} is {id}; the vocabulary has {model.Pieces.Count} pieces.", nameof(model));
    }

    private static void WritePiece(CodedOutputStream output, SentencePiece piece)
    {
        output.WriteTag(1, WireFormat.WireType.LengthDelimited);
        output.WriteString(piece.Text);
        output.WriteTag(2, WireFormat.WireType.Fixed32);
        output.WriteFloat(piece.Score);
        if (piece.Type != SentencePieceType.Normal)
            Number(output, 3, (int)piece.Type);
    }

    private static void WriteTrainer(CodedOutputStream output, SentencePieceModel model)
    {
        Number(output, 3, SentencePieceModel.Unigram);
        Number(output, 4, model.Pieces.Count);
        Number(output, 40, model.UnkId);
        Number(output, 41, model.BosId);
        Number(output, 42, model.EosId);
        Number(output, 43, model.PadId);
        Spelling(45, model.UnkId);
        Spelling(46, model.BosId);
        Spelling(47, model.EosId);
        Spelling(48, model.PadId);

        void Spelling(int field, int id)
        {
            if (id < 0)
                return;
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteString(model.Pieces[id].Text);
        }
    }

    private static void WriteNormalizer(CodedOutputStream output, SentencePieceModel model)
    {
        output.WriteTag(1, WireFormat.WireType.LengthDelimited);
        output.WriteString(model.NormalizerName);
        if (model.PrecompiledCharsMap.IsEmpty)
            return;
        output.WriteTag(2, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(model.PrecompiledCharsMap.Span));
    }

    private static void Number(CodedOutputStream output, int field, int value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt32(value);
    }

    private static void Nested(CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(Message(write)));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
            write(output);
        return buffer.ToArray();
    }
}
