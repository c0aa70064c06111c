using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Lessons;

/// <summary>Views of presets, lessons and leftovers.</summary>
public static class LessonViews
{
    /// <summary>The resolved notebook parameters: those left empty or 0 take the preset's value.</summary>
    /// <param name="preset">The preset with what was given.</param>
    /// <param name="more">Further parameters.</param>
    public static FactList Facts(this NotebookPreset preset, params IReadOnlyList<(string Parameter, string Value)> more)
    {
        ArgumentNullException.ThrowIfNull(preset);
        return new FactList(
        [
            ("preset", preset.Size.ToString()),
            ("model", Near(preset.Model)),
            ("photos", Near(preset.Photos)),
            .. more,
        ]);
    }

    /// <summary>
    /// The pictures of a sweep that do not show what was asked for: the classifier tells what it read instead; of other judges those with
    /// the lowest adherence, the lowest first.
    /// </summary>
    /// <param name="judge">What scored them.</param>
    /// <param name="outcome">The sweep.</param>
    /// <param name="most">Rows at most, at least 1.</param>
    public static TextTable Misses(this IPictureJudge judge, SweepOutcome outcome, int most = 20)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        (SweepResult Result, string Text)[] misses = judge is CharacterMeasures measures
            ? [.. measures.Misses(outcome).Select(miss => (miss.Result, miss.Reading.Missed))]
            : [.. outcome.Results.Where(result => result.Scores?.ContainsKey(judge.AdherenceScore) == true)
                .OrderBy(result => result.Scores![judge.AdherenceScore])
                .Select(result => (result, SweepViews.Figure(result.Scores, judge.AdherenceScore)))];
        return TextTable.Of(
            misses.Take(most), ("Prompt", miss => ShownText.Line(miss.Result.Item.Prompt)),
            ("Training", miss => SweepAxis.BeforeAfter.LabelOf(miss.Result.Item)), ("Seed", miss => miss.Result.Item.Seed),
            (judge is CharacterMeasures ? "Asked, and read instead" : judge.AdherenceScore, miss => miss.Text)) with
        {
            Note = judge.Name,
        };
    }

    /// <summary>What a training left on the disk.</summary>
    /// <param name="leftovers">What there is.</param>
    public static TextTable Table(this IReadOnlyList<TrainingLeftover> leftovers) => TextTable.Of(
        leftovers,
        ("File or folder", leftover => Path.GetFileName(leftover.Path)),
        ("Size", leftover => ByteSize.Text(leftover.Bytes)),
        ("What it is", leftover => leftover.What),
        ("Keep?", leftover => leftover.Needed ? "yes" : "no"));

    /// <summary>A path as it is shown; a name on the hub as it is.</summary>
    internal static string Near(string nameOrPath) => Path.IsPathRooted(nameOrPath) ? ProjectFolder.Near(nameOrPath) : nameOrPath;
}
