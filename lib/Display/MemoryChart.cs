using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>Memory by phase: what takes it, on each other, and what was measured, as a line.</summary>
public sealed record MemoryChart : ChartView
{
    /// <summary>The phases in order; a part of the same name has one colour in all.</summary>
    public required IReadOnlyList<MemoryChartPhase> Phases { get; init; }

    /// <summary>Bytes that were measured in each phase, null where none were; empty for no line.</summary>
    public IReadOnlyList<long?> Measured { get; init; } = [];

    /// <summary>What the measured figures are: "measured peak, allocated". Default "measured".</summary>
    public string MeasuredName { get; init; } = "measured";

    /// <summary>Bytes that the device has, drawn as a dashed line; null for none.</summary>
    public long? Limit { get; init; }

    /// <summary>What kind of figure the parts are: "planned, allocated". Default "memory".</summary>
    public string Kind { get; init; } = "memory";

    private protected override ChartFigure Figure()
    {
        if (Measured.Count != 0 && Measured.Count != Phases.Count)
            throw new LabException($"There are {Measured.Count} measured figures for {Phases.Count} phases.");
        var largest = Phases.Select(phase => phase.Total).Concat(Measured.Select(value => value ?? 0)).Append(Limit ?? 0).Max();
        var (unit, bytes) = MemoryUnit.For(largest);
        double[] places = [.. Enumerable.Range(0, Phases.Count).Select(i => (double)i)];
        List<ChartSeries> series =
        [
            .. Phases.SelectMany(phase => phase.Parts).Select(part => part.Name).Distinct().Select(name => new ChartSeries
            {
                Name = name,
                Mark = ChartMark.Bars,
                X = places,
                Y = [.. Phases.Select(phase => phase.Parts.Where(part => part.Name == name).Sum(part => part.Bytes) / bytes)],
                Labels = [.. Phases.Select(
                    phase => $"{phase.Name}, {name}: "
                        + $"{MemoryUnit.Text(phase.Parts.Where(part => part.Name == name).Sum(part => part.Bytes))}")],
            }),
        ];
        if (Measured.Count > 0)
        {
            series.Add(new ChartSeries
            {
                Name = MeasuredName,
                Mark = ChartMark.LineAndPoints,
                Color = ChartColor.Ink,
                X = places,
                Y = [.. Measured.Select(value => value / bytes ?? double.NaN)],
                Labels = [.. Measured.Select(
                    (value, i) => value is { } known ? $"{Phases[i].Name}, {MeasuredName}: {MemoryUnit.Text(known)}" : string.Empty)],
            });
        }

        if (Limit is { } limit && Phases.Count > 0)
            series.Add(
                new ChartSeries
                {
                    Name = $"limit {MemoryUnit.Text(limit)}",
                    Mark = ChartMark.Dashed,
                    Color = ChartColor.Grey,
                    X = [-0.5, Phases.Count - 0.5],
                    Y = [limit / bytes, limit / bytes],
                });
        return new ChartFigure
        {
            Title = Title,
            Caption = Caption,
            Categories = [.. Phases.Select(phase => phase.Name)],
            Panels = [new ChartPanel { YTitle = $"{Kind} ({unit})", FromZero = true, Height = Height, Stacked = true, Series = series }],
        };
    }
}
