using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Evaluation;

/// <summary>The benchmark's figures beside the paper's (Ruiz et al. 2022, arXiv:2208.12242, table 1).</summary>
/// <param name="Model">What was trained.</param>
/// <param name="Rows">The subjects that are done.</param>
/// <param name="Total">Subjects of the data set.</param>
/// <param name="Prompts">Prompts of a subject in the data set.</param>
internal sealed record DreamBenchTable(string Model, IReadOnlyList<DreamBenchRow> Rows, int Total, int Prompts)
{
    private const int PaperSubjects = 30;
    private const int PaperPrompts = 25;
    private const int PaperPictures = 4;

    // DINO ViT-S/16 and CLIP.
    private static readonly (string Name, double Dino, double ClipImage, double? ClipText)[] Published =
    [
        ("Real images (paper)", 0.774, 0.885, null),
        ("DreamBooth, Stable Diffusion (paper)", 0.668, 0.803, 0.305),
    ];

    /// <summary>The table as Markdown.</summary>
    public string ToMarkdown()
    {
        if (Rows.Count == 0)
            return "No subject is done yet.\n";
        string[] names = [.. Rows.SelectMany(row => row.Scores.Keys).Distinct(StringComparer.Ordinal)];
        var text = new StringBuilder().Append("| | ").AppendJoin(" | ", names).Append(" |\n|---|")
            .Append(string.Concat(names.Select(_ => "---|"))).Append('\n');
        void Line(string title, Func<string, string> cell) =>
            text.Append(CultureInfo.InvariantCulture, $"| {title} | ").AppendJoin(" | ", names.Select(cell)).Append(" |\n");
        if (names.Contains(SubjectJudge.DinoScore))
        {
            foreach (var row in Published)
                Line(row.Name, name => Number(name switch
                {
                    SubjectJudge.DinoScore => row.Dino,
                    SubjectJudge.ClipImageScore => row.ClipImage,
                    SubjectJudge.ClipTextScore => row.ClipText,
                    _ => null,
                }));
        }

        Line("Real images (this run)", name => Mean(row => row.Real, name));
        Line($"{Model} ({(IsReduced ? "this run, reduced" : "this run")})", name => Mean(row => row.Scores, name));
        if (Rows.Count > 1)
            text.Append("\nIn brackets where 95 % of 2,000 draws of subjects lie, with replacement.\n");
        text.Append(CultureInfo.InvariantCulture, $"\n{Rows.Count} of {Total} subjects, ")
            .Append(CultureInfo.InvariantCulture, $"{Each(row => row.Prompts)} of {Prompts} prompts each, ")
            .Append(CultureInfo.InvariantCulture, $"{Each(row => row.Pictures / row.Prompts)} pictures a prompt: ")
            .Append(CultureInfo.InvariantCulture, $"{Rows.Sum(row => row.Pictures)} pictures. ")
            .Append(IsReduced
                ? $"A reduced run: the benchmark has {PaperSubjects} subjects, {PaperPrompts} prompts each, {PaperPictures} pictures a "
                    + "prompt. "
                : "The whole benchmark. ")
            .Append("Judge: ")
            .AppendJoin("; ", Rows.Select(row => row.Judge).Distinct(StringComparer.Ordinal)).Append(".\n");
        return text.Append(names.Contains(SubjectJudge.DinoScore)
            ? "The paper's figures are of DINO ViT-S/16 and all 30 subjects; figures of other encoders or protocols cannot be compared.\n"
            : "The paper's figures are of DINO and CLIP and cannot be compared with this judge's.\n").ToString();
    }

    /// <summary>One line a subject, with the ends of its intervals over prompts and seeds.</summary>
    public string ToCsv()
    {
        string[] names = [.. Rows.SelectMany(row => row.Scores.Keys).Distinct(StringComparer.Ordinal)];
        string[] columns =
        [
            "subject", "prompts", "pictures", .. names, .. names.Select(name => $"real_{name}"),
            .. names.SelectMany(name => new[] { $"{name}_low", $"{name}_high" }),
        ];
        var text = new StringBuilder().AppendJoin(',', columns).Append('\n');
        foreach (var row in Rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"{row.Subject},{row.Prompts},{row.Pictures},")
                .AppendJoin(',', names.Select(name => Cell(row.Scores, name)).Concat(names.Select(name => Cell(row.Real, name)))
                    .Concat(names.SelectMany(name => new[] { Cell(row.Low, name), Cell(row.High, name) })))
                .Append('\n');
        }

        return text.ToString();
    }

    // What the paper has; anything less cannot stand for a row of its table.
    private bool IsReduced => Rows.Count < PaperSubjects
        || Rows.Any(row => row.Prompts < PaperPrompts || row.Pictures < row.Prompts * PaperPictures);

    // One number, or the least and the most.
    private string Each(Func<DreamBenchRow, int> count) => (Rows.Min(count), Rows.Max(count)) is var (least, most) && least == most
        ? string.Create(CultureInfo.InvariantCulture, $"{least}") : string.Create(CultureInfo.InvariantCulture, $"{least} to {most}");

    private static string Cell(IReadOnlyDictionary<string, double> scores, string name) =>
        scores.TryGetValue(name, out var value) ? value.ToString("R", CultureInfo.InvariantCulture) : string.Empty;

    private static string Number(double? value) => value is { } number ? number.ToString("0.000", CultureInfo.InvariantCulture) : "–";

    // As in the paper, over pictures: a subject with more of them weighs more. Subjects are drawn, whose means stand for their pictures.
    private string Mean(Func<DreamBenchRow, IReadOnlyDictionary<string, double>> scores, string name)
    {
        DreamBenchRow[] rows = [.. Rows.Where(row => scores(row).ContainsKey(name))];
        if (rows.Length == 0)
            return Number(null);
        ScoreSample[] pictures = [.. rows.Index().SelectMany(row =>
            Enumerable.Range(0, row.Item.Pictures).Select(picture => new ScoreSample(row.Index, picture, scores(row.Item)[name])))];
        var mean = Bootstrap.Mean(pictures, seed: 0);
        return rows.Length == 1 ? Number(mean.Mean) : mean.Text();
    }
}
