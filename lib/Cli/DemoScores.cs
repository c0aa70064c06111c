using System.Globalization;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Cli;

/// <summary>What the classifier read from a demonstration's pictures, as tables: before beside after, and family by family.</summary>
/// <param name="folder">The demonstration's folder, whose records hold the scores of each picture.</param>
/// <param name="identifier">What the prompts call the character, such as "gmc cat".</param>
/// <param name="ceiling">Fidelity between the real pictures themselves; null where unknown.</param>
internal sealed class DemoScores(DemoFolder folder, string identifier, double? ceiling)
{
    /// <summary>What the figures mean.</summary>
    public const string Explanation =
        "A small classifier reads every picture. Fidelity: how alike its subject and that of the real pictures are (cosine of features). "
        + "“This cat”: pictures that it takes for the character and not for a similar cat; it has never seen the character as a "
        + "statue, of gold or on an x-ray, where nothing tells it from another cat. "
        + "Adherence: how much of the place, art and change in the prompt the picture shows.";

    /// <summary>The tables; none where nothing was scored.</summary>
    public IReadOnlyList<HtmlView> Tables()
    {
        var before = Scored(DemoRun.Before);
        var after = Scored(DemoRun.After);
        return before.Length + after.Length == 0 ? [] : [Comparison(before, after), Families()];
    }

    private TextTable Comparison(SweepResult[] before, SweepResult[] after)
    {
        return new TextTable
        {
            Columns = ["The same prompts and seeds", "Before", "After", "Real pictures"],
            Rows =
            [
                Row(
                    $"Fidelity of photos of {identifier}", result => IsPhoto(result) && IsNamed(result), CharacterReading.FidelityScore,
                    Number, ceiling is { } most ? Number(most) : "–"),
                Row(
                    "“This cat”, in photos by its name", result => IsPhoto(result) && IsNamed(result), CharacterReading.IdentityScore,
                    Percent, "–"),
                Row(
                    "“This cat”, without its name", result => IsPhoto(result) && !IsNamed(result), CharacterReading.IdentityScore,
                    Percent, "–"),
                Row("Adherence", _ => true, CharacterReading.AdherenceScore, Percent, "–"),
            ],
        };

        IReadOnlyList<string> Row(string title, Func<SweepResult, bool> counts, string score, Func<double, string> text, string real) =>
            [title, Mean(before.Where(counts), score, text), Mean(after.Where(counts), score, text), real];
    }

    private TextTable Families() => new()
    {
        Columns = ["After, by family", "Pictures", "Adherence", "“This cat”", "Fidelity"],
        Rows = [.. DemoRun.Families.Select(family => (family.Title, Results: Scored(family.Name))).Select(family => (IReadOnlyList<string>)
        [
            family.Title,
            family.Results.Length.ToString(CultureInfo.InvariantCulture),
            Mean(family.Results, CharacterReading.AdherenceScore, Percent),
            Mean(family.Results, CharacterReading.IdentityScore, Percent),
            Mean(family.Results, CharacterReading.FidelityScore, Number),
        ])],
    };

    private SweepResult[] Scored(string sweep) => [.. folder.Results(sweep).Where(result => result.Scores is { Count: > 0 })];

    private bool IsNamed(SweepResult result) => result.Item.Prompt.Contains(identifier, StringComparison.Ordinal);

    // Neither art nor a change: photos, which the identity probe tells best.
    private static bool IsPhoto(SweepResult result) =>
        PromptImplications.Of(result.Item.Prompt).All(implied => implied.Attribute.Name == DrawingAttributes.Scene.Name);

    private static string Mean(IEnumerable<SweepResult> results, string score, Func<double, string> text) =>
        SweepMean.Over(results).TryGetValue(score, out var value) ? text(value) : "–";

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);

    private static string Percent(double value) => string.Create(CultureInfo.InvariantCulture, $"{100 * value:0} %");
}
