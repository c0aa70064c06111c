using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Native;
using Microsoft.DotNet.Interactive.Formatting;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Display;

/// <summary>Formatters of tensors and pictures in a notebook.</summary>
internal static class NotebookFormatters
{
    /// <summary>The type of interactive charts; front ends without a renderer for it show the HTML.</summary>
    public const string PlotlyMimeType = "application/vnd.plotly.v1+json";

    /// <summary>
    /// Registers the formatters of tensors and pictures. In a notebook the library's first use does it; other hosts of .NET Interactive's
    /// formatting call it once. Views need none (<see cref="ViewFormatters"/>).
    /// </summary>
    public static void Register()
    {
        // Naming TorchSharp's types loads libtorch, which a kernel's start need not wait for.
        TorchLibraries.WhenTorchSharpIsLoaded(RegisterTensors);
        Formatter.Register<RgbImage>(static (image, writer) => writer.Write(Html(image)), HtmlFormatter.MimeType);
        Formatter.Register<RgbImage>(
            static (image, writer) => writer.Write($"Picture of {image.Width} × {image.Height} pixels"), PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(RgbImage), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
    }

    private static void RegisterTensors()
    {
        RegisterTensor<Tensor>();
        RegisterTensor<Parameter>();
    }

    private static void RegisterTensor<T>()
        where T : Tensor
    {
        Formatter.Register<T>(static (tensor, writer) => writer.Write(TensorView.Of(tensor).ToHtml()), HtmlFormatter.MimeType);
        Formatter.Register<T>(static (tensor, writer) => writer.Write(TensorView.Of(tensor).ToString()), PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(T), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
    }

    private static string Html(RgbImage image) =>
        $"<img alt=\"\" style=\"max-width:512px;border-radius:4px\" width=\"{image.Width}\" "
        + $"src=\"{PictureEmbedding.Small.DataUri(image, 512)}\">";
}
