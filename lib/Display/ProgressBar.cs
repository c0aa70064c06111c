using System.Globalization;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Progress of some work, with rate and remaining time: on a console by <see cref="ToText"/>, in a notebook as a bar. A new state is a new
/// record: <c>bar with { Done = 12 }</c>.
/// </summary>
public sealed record ProgressBar : HtmlView
{
    private const int Cells = 24;

    /// <summary>How much there is to do; 0 or less where unknown.</summary>
    public required double Total { get; init; }

    /// <summary>How much is done.</summary>
    public double Done { get; init; }

    /// <summary>What is done: "training".</summary>
    public string Label { get; init; } = string.Empty;

    /// <summary>What is counted: "steps", "pictures"; empty for none.</summary>
    public string Unit { get; init; } = string.Empty;

    /// <summary>A few figures beside it: "loss 0.21"; empty for none.</summary>
    public string Note { get; init; } = string.Empty;

    /// <summary>When the work began. Default: when this record was made.</summary>
    public DateTimeOffset Started { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>The time to count to from <see cref="Started"/>; null (the default) for the time of display.</summary>
    public DateTimeOffset? Now { get; init; }

    /// <summary>What was already done when the work began, as after an interrupt; not counted in the rate. Default 0.</summary>
    public double DoneAtStart { get; init; }

    /// <summary>How much is done, 0 to 1; 0 where the total is unknown.</summary>
    public double Fraction => Total > 0 ? Math.Clamp(Done / Total, 0, 1) : 0;

    /// <summary>One line: <c>training [######--------] 40 % · 40/100 steps · 2.1 steps/s · 0:28 left · loss 0.21</c>.</summary>
    public override string ToText()
    {
        var filled = (int)Math.Round(Fraction * Cells);
        return Join(
            " ", Label, Total > 0 ? $"[{new string('#', filled)}{new string('-', Cells - filled)}]" : string.Empty,
            Join(" · ", [.. Figures(), Note]));
    }

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        writer.Use(ViewAsset.Parts)
            .Open(
                "div", ("role", "progressbar"), ("aria-valuenow", Percent()), ("aria-valuemin", "0"), ("aria-valuemax", "100"),
                ("aria-label", Label));
        writer.Open("div", ("class", "lab-progress"));
        if (Label.Length > 0)
            writer.Element("b", Label);
        foreach (var figure in Figures().Append(Note).Where(figure => figure.Length > 0))
            writer.Element("span", figure);
        writer.Close();
        if (Total > 0)
            writer.Open("div", ("class", "lab-bar")).Element("div", string.Empty, ("style", $"width:{HtmlWriter.Number(Fraction * 100)}%"))
                .Close();
        writer.Close();
    }

    private string[] Figures()
    {
        var seconds = Math.Max(0, ((Now ?? DateTimeOffset.UtcNow) - Started).TotalSeconds);
        var rate = seconds > 0 ? (Done - DoneAtStart) / seconds : 0;
        var unit = Unit.Length > 0 ? " " + Unit : string.Empty;
        var count = Total > 0 ? $"{Number(Done)}/{Number(Total)}{unit}" : $"{Number(Done)}{unit}";
        var left = Total > 0 && Done >= Total ? $"{Duration(seconds)} in all"
            : Total > 0 && rate > 0 ? $"{Duration((Total - Done) / rate)} left" : string.Empty;
        return [Total > 0 ? $"{Percent()} %" : string.Empty, count, Rate(rate), left];
    }

    private string Rate(double rate)
    {
        if (!(rate > 0) || !double.IsFinite(rate))
            return string.Empty;
        var unit = Unit.Length > 0 ? Unit : "done";
        return rate >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{rate:0.0} {unit}/s")
            : string.Create(CultureInfo.InvariantCulture, $"{1 / rate:0.0} s each");
    }

    // 100 only when all is done.
    private string Percent() => ((int)Math.Floor(Fraction * 100)).ToString(CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Duration(double seconds)
    {
        var whole = (long)Math.Round(Math.Min(seconds, 1e9));
        return whole >= 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{whole / 3600}:{whole / 60 % 60:00}:{whole % 60:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{whole / 60}:{whole % 60:00}");
    }

    private static string Join(string separator, params IEnumerable<string> parts) =>
        string.Join(separator, parts.Where(part => part.Length > 0));
}
