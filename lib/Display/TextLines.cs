namespace Dreambooth.Lab.Display;

/// <summary>Breaks labels into lines.</summary>
internal static class TextLines
{
    /// <summary>Breaks a text at blanks; what is too long for a line or for the last one ends in "…".</summary>
    /// <param name="text">The text.</param>
    /// <param name="width">Characters in a line, at least 2.</param>
    /// <param name="most">Lines, at least 1.</param>
    public static IReadOnlyList<string> Break(string text, int width, int most)
    {
        List<string> lines = [];
        var line = string.Empty;
        foreach (var word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                lines.Add(line);
                line = string.Empty;
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        lines.Add(line);
        if (lines.Count > most)
            lines = [.. lines.Take(most - 1), string.Join(' ', lines.Skip(most - 1))];
        return [.. lines.Select(each => Shorten(each, width))];
    }

    /// <summary>About how wide a text is in the charts' type of 12 pixels, half bold: browsers tell nothing beforehand.</summary>
    public static double Width(string text) => text.Sum(letter => letter switch
    {
        'i' or 'j' or 'l' or 't' or 'f' or 'r' or 'I' or '.' or ',' or ':' or ';' or '\'' or '!' or '|' or '(' or ')' or ' ' => 4.9,
        'm' or 'w' or 'M' or 'W' => 11.5,
        >= 'A' and <= 'Z' => 9.2,
        > '\u2e80' => 12.5,
        _ => 8.0,
    });

    /// <summary>A text of at most so many characters; a longer one ends in "…".</summary>
    public static string Shorten(string text, int width)
    {
        if (text.Length <= width)
            return text;
        var end = char.IsHighSurrogate(text[width - 2]) ? width - 2 : width - 1;
        return text[..end] + "…";
    }
}
