extern alias scottplot;

using Dreambooth.Lab.Imaging;
using scottplot::ScottPlot;
using SkiaSharp;

namespace Dreambooth.Lab.Display;

/// <summary>Draws a chart as a picture on light paper: the fields by ScottPlot, the texts in the lab's own typeface.</summary>
internal static class ChartPicture
{
    private const int Width = ChartLayout.FullWidth;
    private const int Margin = 12;
    private static readonly Color Paper = Color.FromHex(ChartPalette.Paper);

    /// <summary>The picture.</summary>
    /// <param name="figure">What is drawn; where it has no values, a line that says so.</param>
    public static RgbImage Draw(ChartFigure figure)
    {
        var layout = figure.HasValues ? new ChartLayout(figure) : null;
        using var title = new SheetText(15, SheetTypeface.SemiBold, SKColor.Parse(ChartPalette.Ink));
        using var label = new SheetText(12, SheetTypeface.Regular, SKColor.Parse(ChartPalette.Soft));
        using var name = new SheetText(12, SheetTypeface.SemiBold, SKColor.Parse(ChartPalette.Ink));
        var top = Margin + (figure.Title.Length > 0 ? title.LineHeight + 8 : 0);
        var caption = label.Wrap(figure.HasValues ? figure.Caption : figure.Empty, Width - (2 * Margin), 3);
        var height = (int)Math.Ceiling(
            top + (layout?.Height ?? 0) + (caption.Count > 0 ? 8 + (caption.Count * label.LineHeight) : 0) + Margin);
        using var bitmap = new SKBitmap(new SKImageInfo(Width, height, SKColorType.Rgba8888, SKAlphaType.Premul));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColor.Parse(ChartPalette.Paper));
            title.Draw(
                canvas, title.Wrap(figure.Title, Width - (2 * Margin), 1), Margin, Margin, Width - (2 * Margin),
                centered: false);
            if (layout is not null)
                DrawChart(canvas, layout, top, label, name);
            label.Draw(canvas, caption, Margin, (float)(top + (layout?.Height ?? 0) + 8), Width, centered: false);
        }

        return ImageEncoder.FromBitmap(bitmap);
    }

    private static void DrawChart(SKCanvas canvas, ChartLayout layout, double top, SheetText label, SheetText name)
    {
        foreach (var field in layout.Fields)
            DrawField(canvas, layout, field, top);
        foreach (var text in layout.Texts)
            label.DrawLine(
                canvas, text.Text, text.X, text.Y + top, text.Side == TextSide.Start ? 0 : text.Side == TextSide.Middle ? 0.5f : 1);
        foreach (var key in layout.Keys)
            DrawKey(canvas, key, top, name);
    }

    private static void DrawField(SKCanvas canvas, ChartLayout layout, ChartField field, double top)
    {
        using var plot = new Plot();
        plot.FigureBackground.Color = plot.DataBackground.Color = Paper;
        plot.Axes.Frameless();
        plot.Axes.FrameWidth(0);
        plot.HideGrid();
        foreach (var tick in field.Ticks)
            plot.Add.HorizontalLine(Scaled(tick, field.Y), 1, Color.FromHex(ChartPalette.Rule));
        foreach (var group in layout.Bars(field).GroupBy(bar => bar.Series))
            plot.Add.Bars(group.Select(bar => Bar(bar, field.Y)).ToArray());
        foreach (var series in field.Panel.Series.Where(series => series.Mark != ChartMark.Bars))
            AddSeries(plot, series, layout.X, field.Y);
        AddIntervals(plot, layout, field);
        // A little more on every side than the field, so that lines and dots at its edges are drawn whole.
        const double Bleed = 6;
        plot.Axes.SetLimits(
            Inverse(layout.X, layout.X.Start - Bleed), Inverse(layout.X, layout.X.End + Bleed), Inverse(field.Y, field.Y.Start + Bleed),
            Inverse(field.Y, field.Y.End - Bleed));
        // On a canvas of its own: ScottPlot clears the whole of what it is given.
        int width = (int)Math.Round(
            layout.X.End - layout.X.Start + (2 * Bleed)), height = (int)Math.Round(field.Y.Start - field.Y.End + (2 * Bleed));
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul));
        using (var part = new SKCanvas(bitmap))
            plot.Render(part, width, height);
        canvas.DrawBitmap(bitmap, (float)(layout.X.Start - Bleed), (float)(field.Y.End + top - Bleed));
    }

    // ScottPlot's axes are linear: a logarithmic one is given logarithms.
    private static double Scaled(double value, PlotAxis axis)
    {
        var inside = Math.Clamp(value, axis.From, axis.To);
        return axis.IsLog ? Math.Log10(inside) : inside;
    }

    private static double Inverse(PlotAxis axis, double pixel)
    {
        double from = Scaled(axis.From, axis), to = Scaled(axis.To, axis);
        return from + ((pixel - axis.Start) / (axis.End - axis.Start) * (to - from));
    }

    private static Bar Bar(ChartBar bar, PlotAxis y) => new()
    {
        Position = bar.Center,
        Size = bar.Width,
        ValueBase = Scaled(bar.From, y),
        Value = Scaled(bar.To, y),
        FillColor = ColorOf(bar.Series),
        LineColor = Paper,
        LineWidth = 1,
    };

    private static void AddSeries(Plot plot, ChartSeries series, PlotAxis x, PlotAxis y)
    {
        foreach (var stretch in Stretches(series, x, y))
        {
            var scatter = plot.Add.Scatter(
                stretch.Select(i => Scaled(series.X[i], x)).ToArray(), stretch.Select(i => Scaled(series.Y[i], y)).ToArray(),
                ColorOf(series));
            scatter.LineWidth = series.IsLine ? 1.75f : 0;
            scatter.LinePattern = series.Mark == ChartMark.Dashed ? LinePattern.Dashed : LinePattern.Solid;
            scatter.MarkerSize =
                series.Mark switch { ChartMark.Points or ChartMark.LineAndPoints => 8, ChartMark.FaintPoints => 4, _ => 0 };
        }
    }

    private static void AddIntervals(Plot plot, ChartLayout layout, ChartField field)
    {
        const double Cap = 4;
        var ink = Color.FromHex(ChartPalette.Ink);
        foreach (var interval in layout.Intervals(field))
        {
            var (x, low, high) = (Scaled(interval.X, layout.X), Scaled(interval.Low, field.Y), Scaled(interval.High, field.Y));
            var at = layout.X.At(interval.X);
            var (left, right) = (Inverse(layout.X, at - Cap), Inverse(layout.X, at + Cap));
            plot.Add.Line(x, low, x, high).LineColor = ink;
            plot.Add.Line(left, low, right, low).LineColor = ink;
            plot.Add.Line(left, high, right, high).LineColor = ink;
        }
    }

    // NaN leaves a gap in a line.
    private static IEnumerable<List<int>> Stretches(ChartSeries series, PlotAxis x, PlotAxis y)
    {
        List<int> stretch = [];
        for (var i = 0; i < series.Y.Count; i++)
        {
            if (x.Has(series.X[i]) && y.Has(series.Y[i]))
            {
                stretch.Add(i);
                continue;
            }

            if (stretch.Count > 0)
                yield return stretch;
            stretch = [];
        }

        if (stretch.Count > 0)
            yield return stretch;
    }

    private static void DrawKey(SKCanvas canvas, ChartKey key, double top, SheetText name)
    {
        using var paint = new SKPaint
        {
            Color = SKColor.Parse(ChartPalette.Light(key.Series.Color!.Value)),
            IsAntialias = true,
            StrokeWidth = 1.75f,
        };
        float x = (float)key.X, y = (float)(key.Y + top);
        if (key.Series.Mark == ChartMark.Bars)
            canvas.DrawRoundRect(x, y - 6, 12, 12, 2, 2, paint);
        else if (key.Series.IsLine)
            canvas.DrawLine(x, y, x + (key.Series.Mark == ChartMark.Dashed ? 5 : 12), y, paint);
        else
            canvas.DrawCircle(x + 6, y, 4, paint);
        if (key.Series.Mark == ChartMark.Dashed)
            canvas.DrawLine(x + 8, y, x + 12, y, paint);
        name.DrawLine(canvas, key.Name, x + 18, y + 4, 0);
    }

    private static Color ColorOf(ChartSeries series) =>
        Color.FromHex(ChartPalette.Light(series.Color!.Value)).WithAlpha(series.Mark == ChartMark.FaintPoints ? 0.26 : 1);
}
