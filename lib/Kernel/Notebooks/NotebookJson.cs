using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>JSON as notebooks have it: indented like its surroundings, long texts as lists of lines.</summary>
internal static class NotebookJson
{
    /// <summary>Writes a value.</summary>
    /// <param name="node">The value.</param>
    /// <param name="unit">Spaces of one indentation step; negative for one line.</param>
    /// <param name="indent">The indentation of the line on which the value begins; negative for one line.</param>
    public static string Write(JsonNode node, int unit, int indent)
    {
        var pretty = unit >= 0 && indent >= 0;
        var text = node.ToJsonString(new JsonSerializerOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            WriteIndented = pretty,
            IndentSize = Math.Max(0, unit),
            NewLine = "\n",
        });
        return pretty ? text.Replace("\n", "\n" + new string(' ', indent), StringComparison.Ordinal) : text;
    }

    /// <summary>A text as the list of its lines, each with its line end.</summary>
    public static JsonArray Lines(string text)
    {
        var lines = new JsonArray();
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start);
            end = end < 0 ? text.Length : end + 1;
            lines.Add(text[start..end]);
            start = end;
        }

        return lines;
    }
}
