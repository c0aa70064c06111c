using System.Globalization;
using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>The records of a sweep as a spreadsheet table, <c>results.csv</c> (RFC 4180, UTF-8) beside <c>results.jsonl</c>.</summary>
internal static class SweepTable
{
    /// <summary>The name of the file in a sweep's folder.</summary>
    public const string FileName = "results.csv";

    private static readonly (string Name, Func<SweepResult, string?> Value)[] Fixed =
    [
        ("path", result => result.Path),
        ("family", result => result.Item.Family),
        ("prompt", result => result.Item.Prompt),
        ("negative_prompt", result => result.Item.NegativePrompt),
        ("seed", result => result.Item.Seed.ToString(CultureInfo.InvariantCulture)),
        ("lora", result => result.Item.Lora),
        ("lora_scale", result => Number(SweepAxis.ScaleOf(result.Item))),
        ("guidance", result => Number(result.Item.Guidance)),
        ("steps", result => Number(result.Item.Steps)),
        ("sampler", result => EnumNames.Of(result.Item.Sampler)),
        ("sigmas", result => EnumNames.Of(result.Item.Sigmas)),
        ("width", result => Number(result.Item.Width)),
        ("height", result => Number(result.Item.Height)),
        ("seconds", result => Number(Math.Round(result.Seconds, 3))),
    ];

    /// <summary>Writes the table, whole or not at all.</summary>
    /// <param name="folder">The sweep's folder; created when missing.</param>
    /// <param name="results">One a row.</param>
    public static void Write(string folder, IReadOnlyList<SweepResult> results) =>
        AtomicFile.WriteAllText(Path.Combine(folder, FileName), Format(results));

    /// <summary>The table as text: a row of names, then one row a picture; a column for each score that any of them has.</summary>
    /// <param name="results">One a row.</param>
    public static string Format(IReadOnlyList<SweepResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        string[] scores = [.. results.SelectMany(result => result.Scores?.Keys ?? []).Distinct()];
        var text = new StringBuilder();
        Append(text, Fixed.Select(column => column.Name).Concat(scores));
        foreach (var result in results)
        {
            Append(text, Fixed.Select(column => column.Value(result))
                .Concat(scores.Select(name => result.Scores?.TryGetValue(name, out var value) == true ? Number(value) : null)));
        }

        return text.ToString();
    }

    /// <summary>Adds a row; null is an empty cell.</summary>
    internal static void Append(StringBuilder text, IEnumerable<string?> cells) =>
        text.AppendJoin(',', cells.Select(cell => Quote(cell ?? string.Empty))).Append("\r\n");

    private static string Quote(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static string? Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);
}
