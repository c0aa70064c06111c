namespace Dreambooth.Lab.Display;

/// <summary>
/// The layout of a chart, in pixels from the top left: at full width the same for the SVG and the picture. A narrower one has the same
/// height and size of type, fewer ticks, and the names of lines in a legend.
/// </summary>
internal sealed class ChartLayout
{
    /// <summary>Pixels of the whole width where there is room.</summary>
    public const int FullWidth = 960;

    /// <summary>The angle, in degrees, of names of categories that have no room beside each other.</summary>
    public const int Slant = -60;

    private const int NarrowBelow = 600;
    private const int PanelGap = 44;
    private const int PanelHead = 26;
    private const int LineHeight = 15;
    private const double CharacterWidth = 7.2;
    private const int NameHeight = 17;
    private const int LongestName = 32;
    private const int LongestSlanted = 24;

    private readonly ChartFigure _figure;
    private readonly List<ChartText> _texts = [];
    private readonly List<ChartKey> _keys = [];

    /// <summary>Places everything.</summary>
    /// <param name="figure">A chart with at least one value.</param>
    /// <param name="width">Pixels of the whole width, at least 300.</param>
    public ChartLayout(ChartFigure figure, int width = FullWidth)
    {
        _figure = figure;
        Width = width;
        Left = IsNarrow ? 46 : 60;
        ChartSeries[] named = [.. figure.Series.Where(series => series.Name.Length > 0)];
        NamesAtEnds = !IsNarrow && figure.Categories is null && named.Length is > 0 and <= 6 && named.All(series => series.IsLine);
        Right = Width - (NamesAtEnds ? Math.Clamp(34 + (int)named.Max(series => TextLines.Width(Shorten(series.Name))), 60, 300) : 16);
        X = XAxis();
        if (!NamesAtEnds && figure.Categories is null)
        {
            // Half of the last label stands beyond the field's end.
            Right = Width - Math.Max(16, 2 + (X.Ticks(XTicks).Max(tick => TextLines.Width(PlotAxis.Label(tick))) / 2));
            X = X with { End = Right };
        }

        double y = NamesAtEnds || named.Length < 2 ? 4 : PlaceLegend(named) + 8;
        Fields = [.. figure.Panels.Select(panel =>
        {
            var extra = Math.Max(TitleLines(panel).Count - 1, 0) * LineHeight;
            var field = Field(panel, y + extra + (panel.YTitle.Length > 0 ? PanelHead : 10));
            y = field.Y.Start + PanelGap - PanelHead;
            return field;
        })];
        foreach (var field in Fields)
            PlaceTexts(field);
        Height = PlaceXAxis(Fields[^1].Y.Start);
    }

    /// <summary>Pixels of the whole width.</summary>
    public int Width { get; }

    /// <summary>Pixels of the whole height.</summary>
    public double Height { get; }

    /// <summary>Where the fields begin and end, from the left.</summary>
    public double Left { get; }

    /// <summary>Where the fields end, from the left.</summary>
    public double Right { get; }

    /// <summary>The horizontal axis.</summary>
    public PlotAxis X { get; }

    /// <summary>The panels with their vertical axes.</summary>
    public IReadOnlyList<ChartField> Fields { get; }

    /// <summary>Every text but the names of series.</summary>
    public IReadOnlyList<ChartText> Texts => _texts;

    /// <summary>The names of series, each after a sample of its mark.</summary>
    public IReadOnlyList<ChartKey> Keys => _keys;

    private bool NamesAtEnds { get; }

    private bool IsNarrow => Width < NarrowBelow;

    private double TitleLeft => IsNarrow ? 0 : Left;

    // 8 ticks at full width, half as many where that would crowd them.
    private int XTicks => IsNarrow ? 4 : 8;

    /// <summary>The bars of a field in its own units: places count categories from 0.</summary>
    public IEnumerable<ChartBar> Bars(ChartField field)
    {
        var bars = field.Panel.Bars;
        if (bars.Count == 0 || _figure.Categories is not { } names)
            yield break;
        var slot = (Right - Left) / names.Count;
        var group = Math.Min(slot * 0.68, field.Panel.Stacked ? 96 : 56.0 * bars.Count) / slot;
        var width = field.Panel.Stacked ? group : group / bars.Count;
        for (var place = 0; place < names.Count; place++)
        {
            var below = 0.0;
            for (var i = 0; i < bars.Count; i++)
            {
                var value = bars[i].Y[place];
                if (!field.Y.Has(value) || value == 0)
                    continue;
                var from = field.Panel.Stacked ? below : field.Y.IsLog ? field.Y.From : 0;
                below += field.Panel.Stacked ? value : 0;
                var center = place + (field.Panel.Stacked ? 0 : (i + 0.5) * width - (group / 2));
                yield return new ChartBar(
                    bars[i], place, center, field.Panel.Stacked ? width : width * 0.94, from, field.Panel.Stacked ? below : value);
            }
        }
    }

    /// <summary>The intervals of a field in its own units: a bar's in the bar's middle, any other's at its value.</summary>
    public IEnumerable<ChartInterval> Intervals(ChartField field)
    {
        var places = Bars(field).Select(bar => (bar.Series, bar.Place, X: bar.Center)).Concat(
            field.Panel.Series.Where(series => series.Mark != ChartMark.Bars && series.Intervals is not null)
                .SelectMany(series => series.X.Select((x, place) => (series, place, x))));
        foreach (var (series, place, x) in places)
        {
            if (series.Intervals?[place] is { } interval && X.Has(x) && field.Y.Has(interval.Low) && field.Y.Has(interval.High))
                yield return new ChartInterval(series, place, x, interval.Low, interval.High);
        }
    }

    private static string Shorten(string name) => TextLines.Shorten(name, LongestName);

    private PlotAxis XAxis()
    {
        if (_figure.Categories is { } names)
            return new PlotAxis(-0.5, Math.Max(names.Count, 1) - 0.5, Left, Right);
        var values = _figure.Series.SelectMany(series => series.X).Where(value => double.IsFinite(value) && (!_figure.LogX || value > 0));
        if (_figure.XRange is { } range)
            values = values.Append(range.From).Append(range.To);
        var onlyLines = _figure.Series.All(series => series.IsLine || series.Mark == ChartMark.FaintPoints);
        double[] all = [.. values.DefaultIfEmpty(1)];
        return onlyLines && all.Min() < all.Max()
            ? new PlotAxis(all.Min(), all.Max(), Left, Right, _figure.LogX)
            : PlotAxis.Around(all, XTicks, Left, Right, _figure.LogX);
    }

    private static ChartField Field(ChartPanel panel, double top)
    {
        var ticks = Math.Max(2, panel.Height / 50);
        double[] values = [.. panel.Extents()];
        var bottom = top + panel.Height;
        var y = !panel.FromZero || panel.LogY ? PlotAxis.Around(values, ticks, bottom, top, panel.LogY)
            : values.Any(value => value < 0) ? PlotAxis.Around(values.Append(0), ticks, bottom, top)
            : PlotAxis.FromZero(values.DefaultIfEmpty(0).Max(), ticks, bottom, top);
        return new ChartField(panel, y, [.. y.Ticks(ticks)]);
    }

    private void PlaceTexts(ChartField field)
    {
        foreach (var tick in field.Ticks)
            _texts.Add(new ChartText(PlotAxis.Label(tick), Left - 10, field.Y.At(tick) + 4, TextSide.End));
        var title = TitleLines(field.Panel);
        for (var line = 0; line < title.Count; line++)
            _texts.Add(new ChartText(
                title[line], TitleLeft, field.Y.End - 12 - ((title.Count - 1 - line) * LineHeight), TextSide.Start));
        if (!NamesAtEnds)
            return;
        // Names stand at the end of their lines, moved apart where they would overlap and up where they would leave the field.
        ChartSeries[] lines = [.. field.Panel.Series.Where(series => series.IsLine && series.Name.Length > 0).OrderBy(End)];
        var places = lines.Select(End).ToArray();
        for (var i = 1; i < places.Length; i++)
            places[i] = Math.Max(places[i], places[i - 1] + NameHeight);
        for (var i = places.Length - 1; i >= 0; i--)
            places[i] = Math.Min(places[i], i == places.Length - 1 ? field.Y.Start : places[i + 1] - NameHeight);
        _keys.AddRange(lines.Select((series, i) => new ChartKey(series, Shorten(series.Name), Right + 10, places[i])));

        double End(ChartSeries series) => field.Y.At(series.Y.LastOrDefault(field.Y.Has, field.Y.From));
    }

    private double PlaceLegend(IEnumerable<ChartSeries> named)
    {
        double x = TitleLeft, y = 12;
        foreach (var series in named)
        {
            var name = Shorten(series.Name);
            var width = 18 + TextLines.Width(name) + 18;
            if (x > TitleLeft && x + width > Width)
                (x, y) = (TitleLeft, y + 20);
            _keys.Add(new ChartKey(series, name, x, y));
            x += width;
        }

        return y + 10;
    }

    private double PlaceXAxis(double bottom)
    {
        if (_figure.Categories is not { } names)
        {
            foreach (var tick in X.Ticks(XTicks))
                _texts.Add(new ChartText(PlotAxis.Label(tick), X.At(tick), bottom + 20, TextSide.Middle));
            if (_figure.XTitle.Length == 0)
                return bottom + 28;
            _texts.Add(NamesAtEnds && _figure.XTitle.Length < 14
                ? new ChartText(_figure.XTitle, Right + 28, bottom + 20, TextSide.Start)
                : new ChartText(_figure.XTitle, (Left + Right) / 2, bottom + 40, TextSide.Middle));
            return _texts[^1].Y + 8;
        }

        var end = PlaceCategories(names, bottom);
        if (_figure.XTitle.Length == 0)
            return end + 8;
        _texts.Add(new ChartText(_figure.XTitle, (Left + Right) / 2, end + 20, TextSide.Middle));
        return end + 28;
    }

    // Names of categories broken at blanks into the width of a bar's slot, three lines at most; slanted where a narrow chart has no room.
    private double PlaceCategories(IReadOnlyList<string> names, double bottom)
    {
        var fits = Math.Max(4, (int)((Right - Left) / Math.Max(names.Count, 1) / CharacterWidth));
        var lines = names.Select(name => TextLines.Break(name, fits, 3)).ToList();
        if (IsNarrow && lines.Any(name => name.Any(line => line.EndsWith('…'))))
        {
            var down = 0.0;
            for (var place = 0; place < names.Count; place++)
            {
                // It runs to the left as well: there is room up to the chart's edge.
                var room = (int)((X.At(place) - 8) / Math.Cos(Slant * Math.PI / 180) / CharacterWidth);
                var name = TextLines.Shorten(names[place], Math.Clamp(room, 2, LongestSlanted));
                _texts.Add(new ChartText(name, X.At(place) + 4, bottom + 14, TextSide.End) { IsSlanted = true });
                down = Math.Max(down, -Math.Sin(Slant * Math.PI / 180) * name.Length * CharacterWidth);
            }

            return bottom + 14 + down;
        }

        for (var place = 0; place < lines.Count; place++)
        {
            for (var line = 0; line < lines[place].Count; line++)
                _texts.Add(new ChartText(lines[place][line], X.At(place), bottom + 20 + (line * LineHeight), TextSide.Middle));
        }

        return bottom + 20 + ((lines.Select(text => text.Count).DefaultIfEmpty(1).Max() - 1) * LineHeight);
    }

    // At full width a title has one line, whatever its length: there is room.
    private IReadOnlyList<string> TitleLines(ChartPanel panel) => panel.YTitle.Length == 0 ? []
        : IsNarrow ? TextLines.Break(panel.YTitle, (int)(Width / CharacterWidth), 3)
        : [panel.YTitle];
}

/// <summary>One panel in its place.</summary>
/// <param name="Panel">What it shows.</param>
/// <param name="Y">Its vertical axis; it starts at the bottom.</param>
/// <param name="Ticks">The values that have a rule and a label.</param>
internal sealed record ChartField(ChartPanel Panel, PlotAxis Y, IReadOnlyList<double> Ticks);

/// <summary>A bar in the units of its axes.</summary>
/// <param name="Series">What it is of.</param>
/// <param name="Place">The category's number, from 0.</param>
/// <param name="Center">Its middle, in categories.</param>
/// <param name="Width">Its width, in categories.</param>
/// <param name="From">Where it begins.</param>
/// <param name="To">Where it ends.</param>
internal sealed record ChartBar(ChartSeries Series, int Place, double Center, double Width, double From, double To);

/// <summary>An interval in the units of its axes.</summary>
/// <param name="Series">What it is of.</param>
/// <param name="Place">The number of its value, from 0.</param>
/// <param name="X">Where it stands.</param>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
internal sealed record ChartInterval(ChartSeries Series, int Place, double X, double Low, double High);

/// <summary>The name of a series after a sample of its mark.</summary>
/// <param name="Series">The series.</param>
/// <param name="Name">Its name, shortened.</param>
/// <param name="X">Where the sample begins; the name stands 18 pixels on.</param>
/// <param name="Y">The middle of both.</param>
internal sealed record ChartKey(ChartSeries Series, string Name, double X, double Y);
