using System.Globalization;
using System.Text.Json;

namespace Dreambooth.Lab.Display;

/// <summary>
/// A figure in Plotly's JSON from elsewhere, for front ends that do not draw it: lines, points and bars over one pair of axes as a picture;
/// for other figures the picture names their kind.
/// </summary>
internal sealed record PlotlyFigure : ChartView
{
    private readonly IReadOnlyList<JsonElement> _traces;
    private readonly JsonElement _layout;

    private PlotlyFigure(IReadOnlyList<JsonElement> traces, JsonElement layout) => (_traces, _layout) = (traces, layout);

    /// <summary>Reads a figure: an object with <c>data</c> and <c>layout</c>.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static PlotlyFigure Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement.Clone();
        JsonElement[] traces = root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Array
            ? [.. data.EnumerateArray()]
            : [];
        return new PlotlyFigure(traces, root.TryGetProperty("layout", out var layout) ? layout : default);
    }

    /// <inheritdoc/>
    public override string ToText() => Drawn().HasValues && base.ToText() is { Length: > 0 } text ? text : Empty;

    private protected override string Empty => _traces.Count == 0 ? base.Empty
        : $"A figure of Plotly ({string.Join(", ", _traces.Select(Type).Distinct())}): front ends that draw Plotly's figures show it.";

    private protected override ChartFigure Figure()
    {
        var title = Text(_layout, "title");
        if (!_traces.All(IsDrawn))
            return new ChartFigure { Title = title, Panels = [] };
        var hasNames = _traces.Any(trace => Type(trace) == "bar" || Items(trace, "x").Any(item => item.ValueKind == JsonValueKind.String));
        string[]? names = hasNames ? [.. _traces.SelectMany(trace => Items(trace, "x")).Select(Name).Distinct()] : null;
        return new ChartFigure
        {
            Title = title,
            XTitle = Text(Axis("xaxis"), "title"),
            LogX = names is null && Word(Axis("xaxis"), "type") == "log",
            Categories = names,
            Panels =
            [
                new ChartPanel
                {
                    YTitle = Text(Axis("yaxis"), "title"),
                    LogY = Word(Axis("yaxis"), "type") == "log",
                    FromZero = _traces.Any(trace => Type(trace) == "bar"),
                    Stacked = Word(_layout, "barmode") == "stack",
                    Height = Height,
                    Series = [.. _traces.Select(trace => Series(trace, names))],
                },
            ],
        };
    }

    private static ChartSeries Series(JsonElement trace, string[]? names)
    {
        double[] y = [.. Items(trace, "y").Select(Number)];
        double[] x = [.. Items(trace, "x").Select(item => names is null ? Number(item) : Array.IndexOf(names, Name(item)))];
        if (x.Length == 0)
            x = [.. Enumerable.Range(0, y.Length).Select(i => (double)i)];
        // A bar stands at each name, also where the trace has none for it.
        var isBar = Type(trace) == "bar" && names is not null;
        if (isBar)
        {
            y = [.. Enumerable.Range(0, names!.Length)
                .Select(i => Array.IndexOf(x, i) is >= 0 and var at && at < y.Length ? y[at] : double.NaN)];
            x = [.. Enumerable.Range(0, y.Length).Select(i => (double)i)];
        }

        var length = Math.Min(x.Length, y.Length);
        return new ChartSeries
        {
            Name = Word(trace, "name"),
            Mark = isBar ? ChartMark.Bars : MarkOf(Word(trace, "mode"), Word(Property(trace, "line"), "dash")),
            X = x[..length],
            Y = y[..length],
        };
    }

    private static ChartMark MarkOf(string mode, string dash) => mode switch
    {
        "markers" or "markers+text" => ChartMark.Points,
        _ when mode.Contains("markers", StringComparison.Ordinal) => ChartMark.LineAndPoints,
        _ => dash is "" or "solid" ? ChartMark.Line : ChartMark.Dashed,
    };

    // One pair of axes, upright bars, plain lists of numbers.
    private static bool IsDrawn(JsonElement trace) =>
        Type(trace) is "scatter" or "scattergl" or "bar"
        && Word(trace, "orientation") != "h"
        && Word(trace, "xaxis") is "" or "x"
        && Word(trace, "yaxis") is "" or "y"
        && Property(trace, "y").ValueKind == JsonValueKind.Array
        && Property(trace, "x").ValueKind is JsonValueKind.Array or JsonValueKind.Undefined;

    private JsonElement Axis(string name) => Property(_layout, name);

    private static string Type(JsonElement trace) => Word(trace, "type") is { Length: > 0 } type ? type : "scatter";

    private static JsonElement Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    private static JsonElement[] Items(JsonElement trace, string name) =>
        Property(trace, name) is { ValueKind: JsonValueKind.Array } items ? [.. items.EnumerateArray()] : [];

    private static string Word(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.String } word ? word.GetString()! : string.Empty;

    // A title is a text, or an object with one.
    private static string Text(JsonElement element, string name) =>
        Word(element, name) is { Length: > 0 } word ? word : Word(Property(element, name), "text");

    private static string Name(JsonElement item) => item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText();

    private static double Number(JsonElement item) => item.ValueKind switch
    {
        JsonValueKind.Number => item.GetDouble(),
        JsonValueKind.String when double.TryParse(item.GetString(), CultureInfo.InvariantCulture, out var value) => value,
        _ => double.NaN,
    };
}
