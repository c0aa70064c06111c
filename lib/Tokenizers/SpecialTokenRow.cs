namespace Dreambooth.Lab.Tokenizers;

/// <summary>Builds rows around the ids of a text: the special tokens at its ends, truncation and padding.</summary>
/// <param name="Bos">Id before the text, or null.</param>
/// <param name="Eos">Id after the text, or null.</param>
/// <param name="Pad">Id that fills the row.</param>
internal sealed record SpecialTokenRow(int? Bos, int? Eos, int Pad)
{
    private int Specials => (Bos is null ? 0 : 1) + (Eos is null ? 0 : 1);

    /// <summary>The text's ids between the special tokens, at full length.</summary>
    public IReadOnlyList<int> Whole(List<int> text)
    {
        var row = new List<int>(text.Count + Specials);
        if (Bos is { } bos)
            row.Add(bos);
        row.AddRange(text);
        if (Eos is { } eos)
            row.Add(eos);
        return row;
    }

    /// <summary>
    /// A row of exactly <paramref name="maxLength"/> ids; the text is cut where it is too long, never the special tokens.
    /// </summary>
    public long[] Padded(List<int> text, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, Specials);
        var row = new long[maxLength];
        Array.Fill(row, Pad);
        var at = 0;
        if (Bos is { } bos)
            row[at++] = bos;
        foreach (var id in text.Take(maxLength - Specials))
            row[at++] = id;
        if (Eos is { } eos)
            row[at] = eos;
        return row;
    }
}
