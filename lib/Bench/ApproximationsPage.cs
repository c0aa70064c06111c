using System.Globalization;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Bench;

/// <summary>The page of <c>bench approximations</c>: time against loss.</summary>
/// <param name="figures">The exact one first.</param>
/// <param name="axes">The pictures.</param>
/// <param name="judge">Who judged.</param>
internal sealed class ApproximationsPage(IReadOnlyList<ApproximationFigure> figures, SweepAxes axes, string judge)
{
    private bool HasTimes => figures.All(figure => figure.FullSizeSeconds is not null);

    /// <summary>Builds the page.</summary>
    public Report Build() => new()
    {
        Title = "Faster pictures and what they cost",
        Lead = Recommendation(),
        Facts = [("prompts", Number(axes.Prompts.Count, "0")), ("seeds", Number(axes.Seeds.Count, "0")),
            ("pictures each", Number(axes.Prompts.Count * axes.Seeds.Count, "0"))],
        Sections =
        [
            new ReportSection("Time against loss", "Bars: 95 % intervals over prompts and seeds.", [Plot()]),
            new ReportSection("All figures", string.Empty, [Table()]),
        ],
        Footer = $"Judged by {judge}. Fidelity and adherence are the miniature's; they say nothing of other models.",
    };

    /// <summary>Every figure.</summary>
    public TextTable Table() => TextTable.Of(
        figures,
        [
            ("Setting", figure => figure.Approximation.Title),
            ("Rows", figure => figure.Approximation.Rows),
            .. HasTimes ? new (string, Func<ApproximationFigure, object?>)[] { ("Full size, s", figure =>
                Number(figure.FullSizeSeconds!.Value, "0.00")) } : [],
            ("Fidelity", figure => figure.Fidelity.Text()),
            ("less exact", figure => figure.FidelityChange?.Signed),
            ("Adherence", figure => figure.Adherence.Text()),
            ("less exact", figure => figure.AdherenceChange?.Signed),
            ("Difference", figure => Number(figure.Difference, "0.0")),
        ]) with
    {
        Note = "Rows of a picture that go through the transformer's blocks: two a step with guidance. Difference: root mean square, in "
            + "steps of 255, to the exact pictures."
            + (HasTimes ? " Full size: seconds a picture, Stable Diffusion 3.5-medium, random weights." : string.Empty),
    };

    private ScatterChart Plot() => new()
    {
        XTitle = HasTimes ? "seconds a picture at full size" : "rows of a picture through the blocks",
        YTitle = "fidelity to the subject",
        Height = 320,
        Series = [.. figures.SelectMany((figure, place) => Points(figure, ChartPalette.At(place)))],
    };

    private IEnumerable<ChartSeries> Points(ApproximationFigure figure, ChartColor color)
    {
        var x = CostOf(figure);
        if (figure.Fidelity is { Low: { } low, High: { } high })
            yield return ChartSeries.Of(string.Empty, [x, x], [low, high]) with { Mark = ChartMark.Line, Color = color };
        yield return ChartSeries.Of(figure.Approximation.Name, [x], [figure.Fidelity.Mean]) with
        {
            Mark = ChartMark.Points,
            Color = color,
            Labels = [$"{figure.Approximation.Title}: fidelity {figure.Fidelity.Text()}"],
        };
    }

    private double CostOf(ApproximationFigure figure) => figure.FullSizeSeconds ?? figure.Approximation.Rows;

    private string Recommendation() => Faster().Where(figure => figure.IsAsGood).MinBy(CostOf) is { } best
        ? $"The fastest setting without a loss that {axes.Prompts.Count * axes.Seeds.Count} pictures show: {best.Approximation.Title}, "
            + $"{Number(CostOf(figures[0]) / CostOf(best), "0.0")} × as fast."
        : Faster().Any() ? "Every faster setting shows a loss." : "No setting here is faster.";

    private IEnumerable<ApproximationFigure> Faster() => figures.Where(figure => CostOf(figure) < CostOf(figures[0]));

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
