namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// A token that is cut out of the text before the model's own segmentation sees it: the entries of
/// <c>added_tokens_decoder</c> in <c>tokenizer_config.json</c>.
/// </summary>
public sealed record AddedToken
{
    /// <summary>The token's spelling, at least one character.</summary>
    public required string Content { get; init; }

    /// <summary>The id that the config gives it, or null where only its spelling is known.</summary>
    public int? Id { get; init; }

    /// <summary>Whether white space before the token belongs to it.</summary>
    public bool LStrip { get; init; }

    /// <summary>Whether white space after the token belongs to it.</summary>
    public bool RStrip { get; init; }

    /// <summary>Whether the token is looked for in the normalised text (then in any case, for CLIP) or in the text as written.</summary>
    public bool Normalized { get; init; }

    /// <summary>Whether the token counts only where no word character touches it.</summary>
    public bool SingleWord { get; init; }
}
