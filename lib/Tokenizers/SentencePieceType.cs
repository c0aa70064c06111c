namespace Dreambooth.Lab.Tokenizers;

/// <summary>Kinds of pieces, with the numbers of <c>sentencepiece_model.proto</c>.</summary>
internal enum SentencePieceType
{
    /// <summary>A piece of text.</summary>
    Normal = 1,

    /// <summary>The token for what the vocabulary lacks.</summary>
    Unknown = 2,

    /// <summary>A token without text, such as an end of sentence.</summary>
    Control = 3,

    /// <summary>A piece that is never split.</summary>
    UserDefined = 4,

    /// <summary>A piece that is out of use.</summary>
    Unused = 5,

    /// <summary>A byte, for vocabularies that fall back to bytes.</summary>
    Byte = 6,
}
