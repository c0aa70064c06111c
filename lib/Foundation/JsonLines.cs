using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dreambooth.Lab.Foundation;

/// <summary>Logs with one JSON object per line, with keys in snake case.</summary>
internal static class JsonLines
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A record as one line, without a line break; not a number is written as the text NaN.</summary>
    public static string Line<T>(T record) => JsonSerializer.Serialize(record, Options);

    /// <summary>Records as lines, each with a line break.</summary>
    public static string Text<T>(IEnumerable<T> records) => string.Concat(records.Select(record => Line(record) + "\n"));

    /// <summary>Reads the records of a log, even while it is being written.</summary>
    /// <param name="file">The log; none there: no records.</param>
    /// <returns>
    /// Lines that are no whole JSON are left out, as is the last line of a run that was killed while writing.
    /// </returns>
    /// <exception cref="LabException">A line is whole, but a field of it is missing or of another type.</exception>
    public static IEnumerable<T> Read<T>(string file)
    {
        if (!File.Exists(file) || RegularFile.HasNoLength(file))
            yield break;
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (JsonField.ParseLine(line, $"{file}, line {number}") is { } field)
                yield return field.To<T>();
        }
    }
}
