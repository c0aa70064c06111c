using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Foundation;

/// <summary>Text from outside, made safe to show in a message or a terminal.</summary>
internal static class ShownText
{
    /// <summary>How much of a value a message repeats, in UTF-16 units.</summary>
    public const int MostInMessage = 200;

    /// <summary>One line without control characters or characters that turn the writing direction, cut where it is long.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="most">The most of it that is kept, in UTF-16 units.</param>
    public static string Line(string text, int most = MostInMessage)
    {
        ArgumentNullException.ThrowIfNull(text);
        var cut = Cut(text, most);
        return IsPlain(cut, lines: false) ? cut : Escape(cut, lines: false);
    }

    /// <summary>The beginning of a text, else as it is: for what makes characters harmless by itself, as HTML does.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="most">The most of it that is kept, in UTF-16 units.</param>
    public static string Cut(string text, int most = MostInMessage)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)] + "…";
    }

    /// <summary>The same text with line breaks and tabs kept and nothing cut: what is written to a terminal.</summary>
    /// <param name="text">Any text.</param>
    public static string Lines(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsPlain(text, lines: true) ? text : Escape(text, lines: true);
    }

    /// <summary>Names in a sentence: the first ones, and how many more there are.</summary>
    /// <param name="names">Any number of names.</param>
    /// <param name="most">Names to show, at least 1.</param>
    public static string Names(IReadOnlyCollection<string> names, int most = 4)
    {
        ArgumentNullException.ThrowIfNull(names);
        var shown = string.Join(", ", names.Take(most).Select(name => Line(name)));
        return names.Count > most ? $"{shown} and {names.Count - most} more" : shown;
    }

    /// <summary>
    /// Whether a character acts on a terminal instead of being shown: control codes, and marks that turn the direction or break lines.
    /// </summary>
    /// <param name="c">The character.</param>
    public static bool IsUnshown(char c) =>
        char.IsControl(c)
            || c is '\u061c' or '\u200e' or '\u200f' or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\ufeff';

    private static bool IsPlain(string text, bool lines)
    {
        foreach (var c in text)
        {
            if (char.IsSurrogate(c) || (IsUnshown(c) && !(lines && c is '\n' or '\t')))
                return false;
        }

        return true;
    }

    private static string Escape(string text, bool lines)
    {
        var shown = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                shown.Append(c).Append(text[++i]);
            else if (c == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
                continue;
            else if (c is '\n' or '\t')
                shown.Append(lines ? c : ' ');
            else if (char.IsSurrogate(c) || IsUnshown(c))
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                shown.Append(c);
        }

        return shown.ToString();
    }
}
