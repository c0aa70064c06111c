using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>
/// Reads comma-separated values (RFC 4180): fields in double quotes may hold commas, line breaks and doubled quotes. Blank lines are left
/// out.
/// </summary>
internal static class CsvText
{
    /// <summary>The rows of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <returns>Each row's fields and the number of the line that it begins in, from 1.</returns>
    /// <exception cref="LabException">A quote is not closed, or text follows a closed one; the message names the line.</exception>
    public static IEnumerable<(int Line, IReadOnlyList<string> Fields)> Rows(string text, string source)
    {
        text = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var (place, line) = (0, 1);
        while (place < text.Length)
        {
            var first = line;
            List<string> fields = [Field(text, ref place, ref line, source)];
            while (place < text.Length && text[place] == ',')
            {
                place++;
                fields.Add(Field(text, ref place, ref line, source));
            }

            (place, line) = (place + 1, line + 1); // Past the line break.
            if (fields is not [""])
                yield return (first, fields);
        }
    }

    // Ends at a comma, a line break or the end.
    private static string Field(string text, ref int place, ref int line, string source)
    {
        var start = place;
        if (place >= text.Length || text[place] != '"')
        {
            while (place < text.Length && text[place] is not (',' or '\n'))
                place++;
            return text[start..place];
        }

        var (first, field) = (line, new StringBuilder());
        for (place++; place < text.Length; place++)
        {
            if (text[place] == '"' && (place + 1 >= text.Length || text[place + 1] != '"'))
            {
                place++;
                return place == text.Length || text[place] is ',' or '\n' ? field.ToString()
                    : throw new LabException($"{source}, line {line}: text follows a closing quote; a quote within quotes is doubled.");
            }

            if (text[place] == '"')
                place++;
            line += text[place] == '\n' ? 1 : 0;
            field.Append(text[place]);
        }

        throw new LabException($"{source}, line {first}: a quote is not closed.");
    }
}
