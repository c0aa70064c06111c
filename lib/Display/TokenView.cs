using System.Globalization;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Display;

/// <summary>
/// A prompt's tokens, one row for each tokenizer: what they stand for, their ids, those of the identifier marked, padding folded.
/// </summary>
public sealed record TokenView : HtmlView
{
    /// <summary>The rows in order.</summary>
    public required IReadOnlyList<TokenRow> Rows { get; init; }

    /// <summary>The prompt.</summary>
    public string Prompt { get; init; } = string.Empty;

    /// <summary>Splits a prompt by several tokenizers.</summary>
    /// <param name="prompt">Any text.</param>
    /// <param name="tokenizers">Name and tokenizer of each row.</param>
    /// <param name="identifier">The subject's name in the prompt, such as "gmc"; empty for none. All its occurrences are marked.</param>
    /// <param name="maxLength">The row's length with padding; null for each tokenizer's own window, and none where that has no end.</param>
    public static TokenView Of(
        string prompt, IEnumerable<(string Name, ITextTokenizer Tokenizer)> tokenizers, string identifier = "", int? maxLength = null)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(tokenizers);
        return new TokenView
        {
            Prompt = prompt,
            Rows = [.. tokenizers.Select(entry => Row(prompt, entry.Name, entry.Tokenizer, identifier, maxLength))],
        };
    }

    /// <summary>A line for each tokenizer: <c>CLIP-L: 5 tokens: a·320 photo·1125 …</c>, the identifier's tokens in brackets.</summary>
    public override string ToText() => string.Join("\n", Rows.Select(row =>
        $"{row.Tokenizer}: {Counted(row)}: "
        + string.Join(' ', row.Tokens.Select(token => token.IsIdentifier ? $"[{Spelled(token)}]" : Spelled(token)))));

    private static string Spelled(TokenChip token) => $"{token.Text.Trim()}·{Id(token)}";

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        writer.Use(ViewAsset.Parts);
        foreach (var row in Rows)
        {
            writer.Open("div", ("class", "lab-tokens")).Open("div", ("class", "lab-tokenizer")).Element("b", row.Tokenizer).Text(" ")
                .Element("span", Counted(row), ("class", "lab-dim")).Close();
            foreach (var token in row.Tokens)
                WriteChip(writer, token);
            if (row.Padding > 0)
                writer.Open("span", ("class", "lab-chip lab-special"))
                    .Element("span", $"+ {row.Padding.ToString(CultureInfo.InvariantCulture)}").Element("small", "padding").Close();
            writer.Close();
        }
    }

    private static void WriteChip(HtmlWriter writer, TokenChip token)
    {
        var style = token.IsIdentifier ? "lab-chip lab-identifier" : token.IsSpecial ? "lab-chip lab-special" : "lab-chip";
        writer.Open("span", ("class", style), ("title", $"id {Id(token)}"));
        writer.Element(token.IsIdentifier ? "b" : "span", token.Text).Element("small", Id(token)).Close();
    }

    private static string Counted(TokenRow row)
    {
        var text = row.Tokens.Count(token => !token.IsSpecial);
        return $"{text} {(text == 1 ? "token" : "tokens")}{(row.Padding > 0 ? $" of {row.Tokens.Count + row.Padding}" : string.Empty)}";
    }

    private static string Id(TokenChip token) => token.Id.ToString(CultureInfo.InvariantCulture);

    private static TokenRow Row(string prompt, string name, ITextTokenizer tokenizer, string identifier, int? maxLength)
    {
        var ids = tokenizer.Encode(prompt);
        var window = maxLength ?? (tokenizer.ModelMaxLength < 10_000 ? tokenizer.ModelMaxLength : ids.Count);
        if (ids.Count > window)
            ids = [.. tokenizer.EncodePadded(prompt, window).Select(id => (int)id)];
        var bare = tokenizer.Encode(string.Empty);
        string[] texts = [.. ids.Select(tokenizer.TokenText)];
        bool[] special = [.. ids.Select((id, i) => bare.Contains(id) && (texts[i].Length == 0 || i == 0 || i == ids.Count - 1))];
        var marked = Marked(texts, special, identifier);
        return new TokenRow(
            name,
            [.. ids.Select(
                (id, i) => new TokenChip(id, special[i] || texts[i].Length == 0 ? tokenizer.Token(id) : texts[i], special[i], marked[i]))],
            Math.Max(0, window - ids.Count));
    }

    // Tokens that touch an occurrence of the identifier in the text that the tokens make up.
    private static bool[] Marked(string[] texts, bool[] special, string identifier)
    {
        var marked = new bool[texts.Length];
        var wanted = identifier.Replace(" ", string.Empty, StringComparison.Ordinal);
        if (wanted.Length == 0)
            return marked;
        var owners = new List<int>();
        var whole = new System.Text.StringBuilder();
        for (var i = 0; i < texts.Length; i++)
        {
            if (special[i])
                continue;
            foreach (var character in texts[i].Where(character => !char.IsWhiteSpace(character)))
            {
                whole.Append(character);
                owners.Add(i);
            }
        }

        var text = whole.ToString();
        for (var at = text.IndexOf(wanted, StringComparison.OrdinalIgnoreCase); at >= 0; at = text.IndexOf(
            wanted, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            for (var i = at; i < at + wanted.Length; i++)
                marked[owners[i]] = true;
        }

        return marked;
    }
}
