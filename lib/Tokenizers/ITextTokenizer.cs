namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// Turns a prompt into the ids that a text encoder was trained with. Implementations are safe to use from several threads.
/// </summary>
public interface ITextTokenizer
{
    /// <summary>
    /// Window length of the model in tokens (<c>model_max_length</c>); <see cref="int.MaxValue"/> when the config names none.
    /// </summary>
    int ModelMaxLength { get; }

    /// <summary>Id that fills a row after the text.</summary>
    int PadTokenId { get; }

    /// <summary>Id that ends every row, or null for a tokenizer without one.</summary>
    int? EosTokenId { get; }

    /// <summary>Tokenizes a text with the begin and end tokens that the model expects, at its full length.</summary>
    /// <param name="text">Any text; lone surrogates count as U+FFFD.</param>
    /// <returns>Token ids, at least the special ones.</returns>
    IReadOnlyList<int> Encode(string text);

    /// <summary>
    /// Tokenizes a text into a row of fixed length, as the reference's <c>padding='max_length', truncation=True</c>: a text
    /// that is too long is cut so that the end token stays last; a short one is followed by <see cref="PadTokenId"/>.
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <param name="maxLength">Length of the row, at least the number of special tokens.</param>
    /// <returns>Token ids, <paramref name="maxLength"/> of them.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> has no room for the special tokens.</exception>
    long[] EncodePadded(string text, int maxLength);

    /// <summary>The vocabulary's spelling of a token, for example <c>cat&lt;/w&gt;</c> or <c>▁cat</c>.</summary>
    /// <param name="id">A token id.</param>
    /// <returns>The spelling.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    string Token(int id);

    /// <summary>A token as a person reads it, for plots and tables: the text it stands for, without word markers.</summary>
    /// <param name="id">A token id.</param>
    /// <returns>The text; bytes that are no whole character show as U+FFFD.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    string TokenText(int id);
}
