using System.Globalization;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Display;

/// <summary>
/// The losses of a training over its steps, with the learning rate below: points for each step's instance and prior loss, lines for
/// their running means and for that of the total. One inline SVG that follows the reader's light or dark setting.
/// </summary>
public sealed record LossPlot : HtmlView
{
    private const int Width = 960;
    private const int Left = 56;
    private const int Right = 866;
    private const int LossTop = 30;
    private const int LossBottom = 282;
    private const int RateTop = 322;
    private const int RateBottom = 378;
    private const int Height = 408;

    /// <summary>The steps that were done, in order; those whose losses are no numbers leave gaps.</summary>
    public required IReadOnlyList<StepRecord> Records { get; init; }

    /// <summary>The last step of the axis; null for the last one done. A running training keeps its scale with it.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Steps that the running mean reaches back, 1 or more; null (the default) for a fifteenth of all, 8 at least.</summary>
    public int? Smoothing { get; init; }

    /// <summary>The exponential running mean, without the pull to zero at its beginning; what is no number counts nothing.</summary>
    /// <param name="values">The values in order.</param>
    /// <param name="reach">Steps it reaches back, 1 or more.</param>
    public static IReadOnlyList<double> RunningMean(IEnumerable<double> values, int reach)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfLessThan(reach, 1);
        var keep = 1 - (1.0 / reach);
        double sum = 0, weight = 0;
        var means = new List<double>();
        foreach (var value in values)
        {
            if (double.IsFinite(value))
                (sum, weight) = ((sum * keep) + value, (weight * keep) + 1);
            means.Add(weight > 0 ? sum / weight : double.NaN);
        }

        return means;
    }

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        writer.Open("figure", ("class", "lab-loss"));
        if (Records.Count == 0)
            writer.Element("p", "No training step was done.");
        else
            WritePlot(writer);
        writer.Close();
    }

    private void WritePlot(HtmlWriter writer)
    {
        var curves = Curves();
        var x = new PlotAxis(0, Math.Max(MaxSteps ?? 0, Records[^1].Step), Left, Right);
        var y = PlotAxis.FromZero(Ceiling(curves), 5, LossBottom, LossTop);
        writer.Open("div", ("class", "lab-scroll")).Open("svg", ("class", "lab-plot"), ("viewBox", $"0 0 {Width} {Height}"), ("role", "img"), ("aria-label", Summary()));
        WriteRules(writer, x, y);
        foreach (var curve in curves.Where(curve => curve.ShowPoints))
            WritePoints(writer, curve, x, y);
        foreach (var curve in curves)
            WriteLine(writer, curve.Name, curve.Means, x, y);
        WriteNames(writer, curves, y);
        WriteRates(writer, x);
        writer.Close().Close();
        writer.Element("figcaption", Summary());
    }

    private List<Curve> Curves()
    {
        var reach = Smoothing ?? Math.Max(8, Records.Count / 15);
        Curve Make(string name, string label, bool points, Func<StepRecord, double> value) =>
            new(name, label, points, [.. Records.Select(value)], RunningMean(Records.Select(value), reach));
        var curves = new List<Curve>();
        if (Records.Any(record => record.PriorLoss is not null))
            curves.Add(Make("prior", "prior", true, record => record.PriorLoss ?? double.NaN));
        curves.Add(Make("instance", "instance", true, record => record.InstanceLoss));
        curves.Add(Make("total", "total", false, record => record.Loss));
        return curves;
    }

    // Single steps far above the rest would press everything else together: they are drawn on the upper edge.
    private static double Ceiling(List<Curve> curves)
    {
        double[] points = [.. curves.Where(curve => curve.ShowPoints).SelectMany(curve => curve.Values).Where(double.IsFinite).Order()];
        var usual = points.Length == 0 ? 0 : points[(int)(0.97 * (points.Length - 1))];
        return curves.SelectMany(curve => curve.Means).Where(double.IsFinite).Append(usual).Max();
    }

    private static void WriteRules(HtmlWriter writer, PlotAxis x, PlotAxis y)
    {
        foreach (var tick in y.Ticks(5))
        {
            WriteRule(writer, y.At(tick));
            WriteLabel(writer, PlotAxis.Label(tick), Left - 10, y.At(tick) + 4, "end");
        }

        foreach (var tick in x.Ticks(8))
            WriteLabel(writer, PlotAxis.Label(tick), x.At(tick), RateBottom + 20, "middle");
        WriteLabel(writer, "step", Right + 28, RateBottom + 20, "start");
        WriteLabel(writer, "loss: points are single steps, lines their running means", Left, LossTop - 14, "start");
    }

    private void WritePoints(HtmlWriter writer, Curve curve, PlotAxis x, PlotAxis y)
    {
        for (var i = 0; i < curve.Values.Count; i++)
        {
            if (double.IsFinite(curve.Values[i]))
            {
                writer.Empty(
                    "circle", ("class", curve.Name), ("cx", HtmlWriter.Number(x.At(Records[i].Step))), ("cy", HtmlWriter.Number(y.At(curve.Values[i]))), ("r", "2"));
            }
        }
    }

    private void WriteLine(HtmlWriter writer, string name, IReadOnlyList<double> values, PlotAxis x, PlotAxis y)
    {
        var path = new System.Text.StringBuilder();
        var drawing = false;
        for (var i = 0; i < values.Count; i++)
        {
            if (double.IsFinite(values[i]))
                path.Append(drawing ? 'L' : 'M').Append(HtmlWriter.Number(x.At(Records[i].Step))).Append(' ').Append(HtmlWriter.Number(y.At(values[i])));
            drawing = double.IsFinite(values[i]);
        }

        writer.Empty("path", ("class", name), ("d", path.ToString()));
    }

    // Names stand at the end of their lines, moved apart where they would overlap.
    private static void WriteNames(HtmlWriter writer, List<Curve> curves, PlotAxis y)
    {
        var last = double.NegativeInfinity;
        foreach (var curve in curves.OrderBy(curve => y.At(End(curve))))
        {
            last = Math.Max(y.At(End(curve)), last + 17);
            writer.Empty("line", ("class", $"lab-key {curve.Name}"), ("x1", $"{Right + 10}"), ("x2", $"{Right + 22}"), ("y1", HtmlWriter.Number(last)), ("y2", HtmlWriter.Number(last)));
            WriteLabel(writer, curve.Label, Right + 28, last + 4, "start", "lab-name");
        }
    }

    private static double End(Curve curve) => double.IsFinite(curve.Means[^1]) ? curve.Means[^1] : 0;

    private void WriteRates(HtmlWriter writer, PlotAxis x)
    {
        double[] rates = [.. Records.Select(record => record.LearningRate)];
        double[] encoders = [.. Records.Select(record => record.TextEncoderLr ?? double.NaN)];
        var y = PlotAxis.FromZero(rates.Concat(encoders).Where(double.IsFinite).DefaultIfEmpty(0).Max(), 2, RateBottom, RateTop);
        foreach (var tick in y.Ticks(2))
        {
            WriteRule(writer, y.At(tick));
            WriteLabel(writer, PlotAxis.Label(tick), Left - 10, y.At(tick) + 4, "end");
        }

        WriteLine(writer, "rate", rates, x, y);
        if (encoders.Any(double.IsFinite))
            WriteLine(writer, "rate2", encoders, x, y);
        WriteLabel(writer, "learning rate" + (encoders.Any(double.IsFinite) ? " (dashed: of the text encoders)" : string.Empty), Left, RateTop - 12, "start");
    }

    private static void WriteRule(HtmlWriter writer, double y) => writer.Empty(
        "line", ("class", "lab-rule"), ("x1", $"{Left}"), ("x2", $"{Right}"), ("y1", HtmlWriter.Number(y)), ("y2", HtmlWriter.Number(y)));

    private static void WriteLabel(HtmlWriter writer, string text, double x, double y, string anchor, string? style = null) => writer.Element(
        "text", text, ("class", style), ("x", HtmlWriter.Number(x)), ("y", HtmlWriter.Number(y)), ("text-anchor", anchor));

    private string Summary()
    {
        var part = Math.Max(1, Records.Count / 10);
        return string.Create(CultureInfo.InvariantCulture, $"{Records.Count} steps. Mean instance loss: {Mean(Records.Take(part)):0.0000} over the first {part}, {Mean(Records.TakeLast(part)):0.0000} over the last {part}.");
    }

    private static double Mean(IEnumerable<StepRecord> records) =>
        records.Select(record => record.InstanceLoss).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();

    private sealed record Curve(string Name, string Label, bool ShowPoints, IReadOnlyList<double> Values, IReadOnlyList<double> Means);
}
