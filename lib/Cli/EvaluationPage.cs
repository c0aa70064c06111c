using System.Globalization;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;

namespace Dreambooth.Lab.Cli;

/// <summary>The page of an evaluation.</summary>
/// <param name="choice">The evaluations and the suggestion.</param>
/// <param name="advice">What was found.</param>
/// <param name="photos">The files of the real pictures.</param>
/// <param name="bleed">Several subjects against each other; null for one.</param>
/// <param name="config">How the pictures were generated.</param>
internal sealed class EvaluationPage(
    EvaluationChoice choice, IReadOnlyList<EvaluationAdvice> advice, IReadOnlyList<string> photos, SubjectBleed? bleed,
    EvaluateConfig config)
{
    private const int MostPhotos = 12;
    private const int PhotoSize = 96;

    private static readonly HtmlView[] NoViews = [];

    private readonly JudgeFacts _judge = choice.Evaluations[0].Judge;

    /// <summary>Builds the page.</summary>
    public Report Build() => new()
    {
        Title = choice.Suggested is { } suggested ? $"Keep {suggested.Name}" : "An evaluation",
        Lead = choice.Reason,
        Facts =
        [
            ("sets of pictures", Count(choice.Evaluations.Count)),
            ("pictures scored", Count(choice.Evaluations.Sum(evaluation => evaluation.Pictures.Count + evaluation.ClassPictures.Count))),
            .. choice.Evaluations.Max(evaluation => evaluation.ClassPictures.Count) is var ofClass and > 0
                ? [("class pictures a set", Count(ofClass))] : Array.Empty<(string, string)>(),
            ("photos", Count(photos.Count)),
            .. double.IsNaN(_judge.Ceiling) ? Array.Empty<(string, string)>()
                : [($"{EvaluationViews.Title(_judge.FidelityScore)} among photos", Number(_judge.Ceiling))],
        ],
        Sections =
        [
            .. Use(),
            new ReportSection("What to do", string.Empty, [advice.Table()]),
            new ReportSection(
                "Fidelity and adherence",
                "Each point is a LoRA at a scale; up is nearer to the subject, right follows the prompt more closely. No other point "
                + "beats those of the Pareto set in both. Where bars overlap widely, the order of two points may be chance.",
                [
                    choice.Plane(), choice.Table(), choice.Glossary(),
                    .. choice.Differences.Count > 0 ? [choice.DifferenceTable()] : NoViews,
                ]),
            .. Pictures(),
            .. Drift(),
            .. Bleed(),
            Photos(),
        ],
        Footer = $"Judged by {_judge.Name}. Figures of other encoders or protocols cannot be compared with these.",
    };

    private IEnumerable<ReportSection> Use()
    {
        if (choice.Suggested is not { Lora: not null } kept || config.PretrainedModelNameOrPath is not { } model)
            yield break;
        var prompt = kept.Pictures.Select(picture => picture.Prompt).FirstOrDefault(text => text is not null);
        if (prompt is not null)
        {
            yield return new ReportSection(
                "Use it", "The suggested LoRA at its scale, with the sampling that it was judged by.",
                [new CommandText(kept.CommandLine(model, prompt, config.Guidance, config.NumSteps, config.Height, config.Width))]);
        }
    }

    private IEnumerable<ReportSection> Pictures()
    {
        if (choice.Suggested is not { } shown)
            yield break;
        List<HtmlView> views = [shown.Pictures(_judge.FidelityScore)];
        // Fewer are all among the highest already.
        if (shown.Pictures.Count > EvaluationViews.MostPictures)
            views.Add(shown.Pictures(_judge.FidelityScore, lowest: true));
        if (shown.Adherence is not null)
            views.Add(shown.Pictures(_judge.AdherenceScore, lowest: true));
        var copied = choice.Evaluations.Where(evaluation => evaluation.Means.ContainsKey(SubjectJudge.NearestScore))
            .MaxBy(evaluation => evaluation.Pictures.Max(picture => picture[SubjectJudge.NearestScore]));
        if (copied is not null)
            views.Add(copied.Pictures(SubjectJudge.NearestScore) with { Title = $"{copied.Name}: most similar to a photo" });
        yield return new ReportSection(
            "Best, worst, most copied",
            shown.Pictures.Any(picture => picture.Nearest is not null)
                ? "Under each picture the photo that it resembles most. A copy is nearer to a photo than any two photos are to each other"
                    + (_judge.CopyThreshold is { } threshold ? $": above {Number(threshold)}." : ".")
                : string.Empty,
            views);
    }

    private IEnumerable<ReportSection> Drift()
    {
        if (choice.DriftBars() is { } bars)
        {
            yield return new ReportSection(
                "Drift of the class",
                "Pictures of the class prompt, without the identifier, beside those of the model without LoRA of the same seeds. Fidelity "
                + "that rises here means that the class becomes the subject.",
                [bars]);
        }
    }

    private IEnumerable<ReportSection> Bleed()
    {
        if (bleed is null)
            yield break;
        yield return new ReportSection(
            "Several subjects",
            "Mean DINO of pictures whose prompt names an identifier (rows) with each subject's photos (columns). An identifier bleeds "
                + "where its row is not highest on the diagonal, or is high beside it.",
            [new TextTable
            {
                Columns = ["Prompts with", "n", .. bleed.Subjects],
                Rows = [.. bleed.Subjects.Zip(bleed.Dino).Select(row => (IReadOnlyList<string>)
                    [row.First, Count(row.Second.Max(value => value?.Count ?? 0)), .. row.Second.Select(value => value?.Text() ?? "–")])],
                Note = $"{_judge.Name}. Pictures of {choice.Suggested!.Name}, with 95 % intervals.",
            }]);
    }

    private ReportSection Photos() => new(
        "The photos", photos.Count > MostPhotos ? $"The first {MostPhotos} of {photos.Count}." : string.Empty,
        [ImageGrid.Of(photos.Take(MostPhotos).Select(photo => GridCell.FromFile(photo, details: Path.GetFileName(photo))), MostPhotos) with
        {
            CellSize = PhotoSize,
        }]);

    private static string Count(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
