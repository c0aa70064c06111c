namespace Dreambooth.Lab.Display;

/// <summary>A prompt as split by one tokenizer.</summary>
/// <param name="Tokenizer">The tokenizer's name: "CLIP-L", "T5".</param>
/// <param name="Tokens">The tokens without padding.</param>
/// <param name="Padding">How many padding tokens follow.</param>
public sealed record TokenRow(string Tokenizer, IReadOnlyList<TokenChip> Tokens, int Padding);
