using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Display;

/// <summary>Formatters of views: .NET Interactive's formatting finds them by the views' types, so notebooks register nothing.</summary>
internal sealed class ViewFormatters : ITypeFormatterSource
{
    private const string PngMimeType = "image/png";

    /// <inheritdoc/>
    public IEnumerable<ITypeFormatter> CreateTypeFormatters()
    {
        Formatter.SetPreferredMimeTypesFor(typeof(HtmlView), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(
            typeof(ChartView), HtmlFormatter.MimeType, PlainTextFormatter.MimeType, NotebookFormatters.PlotlyMimeType, PngMimeType);
        return
        [
            new As<HtmlView>(HtmlFormatter.MimeType, static view => view.ToHtml()),
            new As<HtmlView>(PlainTextFormatter.MimeType, static view => view.ToText()),
            new As<ChartView>(NotebookFormatters.PlotlyMimeType, static chart => chart.ToPlotlyJson()),
            new As<ChartView>(PngMimeType, static chart => Convert.ToBase64String(chart.ToPng())),
        ];
    }

    private sealed class As<T>(string mimeType, Func<T, string> write) : ITypeFormatter
        where T : HtmlView
    {
        public string MimeType => mimeType;

        public Type Type => typeof(T);

        public bool Format(object instance, FormatContext context)
        {
            if (instance is not T view)
                return false;
            context.Writer.Write(write(view));
            return true;
        }
    }
}
