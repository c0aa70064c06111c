using Dreambooth.Lab.Imaging;
using Microsoft.DotNet.Interactive.Formatting;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Display;

/// <summary>How the lab's types look in a notebook.</summary>
public static class NotebookFormatters
{
    /// <summary>The type of interactive charts; front ends without a renderer for it show the HTML.</summary>
    public const string PlotlyMimeType = "application/vnd.plotly.v1+json";

    private const string PngMimeType = "image/png";

    /// <summary>
    /// Registers the formatters of tensors, pictures and views: the lab's kernel does it itself; a notebook in .NET Interactive calls it once.
    /// </summary>
    public static void Register()
    {
        RegisterTensor<Tensor>();
        RegisterTensor<Parameter>();
        Formatter.Register<RgbImage>(static (image, writer) => writer.Write(Html(image)), HtmlFormatter.MimeType);
        Formatter.Register<RgbImage>(static (image, writer) => writer.Write($"Picture of {image.Width} × {image.Height} pixels"), PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(RgbImage), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
        foreach (var type in typeof(HtmlView).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(HtmlView)) && !type.IsAbstract))
            RegisterView(type);
    }

    private static void RegisterView(Type type)
    {
        Formatter.Register(type, static (value, writer) => writer.Write(((HtmlView)value).ToHtml()), HtmlFormatter.MimeType);
        Formatter.Register(type, static (value, writer) => writer.Write(((HtmlView)value).ToText()), PlainTextFormatter.MimeType);
        List<string> types = [HtmlFormatter.MimeType, PlainTextFormatter.MimeType];
        if (type.IsSubclassOf(typeof(ChartView)))
        {
            Formatter.Register(type, static (value, writer) => writer.Write(((ChartView)value).ToPlotlyJson()), PlotlyMimeType);
            Formatter.Register(type, static (value, writer) => writer.Write(Convert.ToBase64String(((ChartView)value).ToPng())), PngMimeType);
            types.AddRange([PlotlyMimeType, PngMimeType]);
        }

        Formatter.SetPreferredMimeTypesFor(type, [.. types]);
    }

    private static void RegisterTensor<T>()
        where T : Tensor
    {
        Formatter.Register<T>(static (tensor, writer) => writer.Write(TensorView.Of(tensor).ToHtml()), HtmlFormatter.MimeType);
        Formatter.Register<T>(static (tensor, writer) => writer.Write(TensorView.Of(tensor).ToString()), PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(T), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
    }

    private static string Html(RgbImage image) =>
        $"<img alt=\"\" style=\"max-width:512px;border-radius:4px\" width=\"{image.Width}\" src=\"{PictureEmbedding.Small.DataUri(image, 512)}\">";
}
