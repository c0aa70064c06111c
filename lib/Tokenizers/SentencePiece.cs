namespace Dreambooth.Lab.Tokenizers;

/// <summary>One entry of a SentencePiece vocabulary; its place in the list is its id.</summary>
/// <param name="Text">The piece, with ▁ (U+2581) for a space.</param>
/// <param name="Score">Logarithm of its probability; 0 for control pieces.</param>
/// <param name="Type">Its kind.</param>
internal readonly record struct SentencePiece(string Text, float Score, SentencePieceType Type = SentencePieceType.Normal);
