using System.Globalization;
using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Evaluation;

/// <summary>The files of an evaluation beside its page: <c>scores.jsonl</c>, <c>scores.csv</c> and <c>summary.json</c>.</summary>
internal static class EvaluationFiles
{
    public const string LinesName = "scores.jsonl";
    public const string TableName = "scores.csv";

    private static readonly string[] Columns =
        ["set", "path", "prompt", "seed", "lora", "lora_scale", "of_class", "judge", "nearest_photo"];

    /// <summary>Writes all three, each whole or not at all.</summary>
    /// <param name="folder">Where; created when missing.</param>
    /// <param name="summary">What the last of them holds.</param>
    /// <param name="choice">The evaluations.</param>
    public static void Write(string folder, EvaluationSummary summary, EvaluationChoice choice)
    {
        var pictures = choice.Evaluations
            .SelectMany(evaluation => evaluation.Pictures.Concat(evaluation.ClassPictures).Select(picture => (evaluation.Name, picture)))
            .ToList();
        AtomicFile.WriteAllText(Path.Combine(folder, LinesName), JsonLines.Text(pictures.Select(entry => entry.picture)));
        AtomicFile.WriteAllText(Path.Combine(folder, TableName), Table(pictures));
        JsonFile.Write(Path.Combine(folder, EvaluationSummary.FileName), summary);
    }

    private static string Table(List<(string Set, PictureScores Picture)> pictures)
    {
        string[] scores = [.. pictures.SelectMany(entry => entry.Picture.Scores.Keys).Distinct()];
        var text = new StringBuilder();
        SweepTable.Append(text, [.. Columns, .. scores]);
        foreach (var (set, picture) in pictures)
        {
            SweepTable.Append(
                text,
                [
                    set, picture.Path, picture.Prompt, picture.Seed?.ToString(CultureInfo.InvariantCulture), picture.Lora,
                    Number(picture.Scale), picture.IsOfClass ? "yes" : "no", picture.Judge, picture.Nearest,
                    .. scores.Select(score => picture.Scores.TryGetValue(score, out var value) ? Number(value) : null),
                ]);
        }

        return text.ToString();
    }

    private static string? Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);
}
