using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Formatting;
using Plotly.NET;

namespace Dreambooth.Lab.Display;

/// <summary>
/// How charts of Plotly.NET look in the lab's kernel: as Plotly's JSON, which interactive front ends draw, and as a picture for the others.
/// Neither makes network requests, and no output contains Plotly's script.
/// </summary>
internal static class PlotlyCharts
{
    // Writing the JSON takes half a second, and three forms are made of it.
    private static readonly ConditionalWeakTable<GenericChart, string> Written = [];

    /// <summary>The assemblies that cells need for charts; the last brings Plotly.NET's extension of notebook kernels.</summary>
    public static IReadOnlyList<string> Assemblies { get; } = ["Plotly.NET", "Plotly.NET.CSharp", "Plotly.NET.Interactive"];

    /// <summary>Registers the formatters. Only in the lab's own kernel: .NET Interactive's tool has too old an FSharp.Core.</summary>
    public static void Register()
    {
        Formatter.Register<GenericChart>(static (chart, writer) => writer.Write(Json(chart)), NotebookFormatters.PlotlyMimeType);
        Formatter.Register<GenericChart>(
            static (chart, writer) => writer.Write(Convert.ToBase64String(Figure(chart).ToPng())), "image/png");
        Formatter.Register<GenericChart>(static (chart, writer) => writer.Write(Figure(chart).ToText()), PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(
            typeof(GenericChart), NotebookFormatters.PlotlyMimeType, "image/png", PlainTextFormatter.MimeType);
    }

    private static PlotlyFigure Figure(GenericChart chart) => PlotlyFigure.Parse(Json(chart));

    private static string Json(GenericChart chart) => Written.GetValue(chart, static made =>
    {
        var figure = JsonNode.Parse(GenericChart.toFigureJson(made))!.AsObject();
        // Plotly.NET's own default is a square of 600 pixels: the front end's size serves better.
        if (figure["layout"] is JsonObject layout && layout["width"]?.ToString() == "600" && layout["height"]?.ToString() == "600")
        {
            layout.Remove("width");
            layout.Remove("height");
        }

        return figure.ToJsonString();
    });
}
