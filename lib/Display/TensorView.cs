using System.Globalization;
using System.Net;
using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Display;

/// <summary>
/// A tensor's view in a notebook: shape, element type, device, statistics, a few values, and a small picture where it is one (<c>[3, H,
/// W]</c> or <c>[1, 3, H, W]</c> in −1 … 1 or 0 … 1). Never all its values.
/// </summary>
internal sealed class TensorView
{
    private const int ShownValues = 6;
    private const int LargestPictureSide = 2048;

    private TensorView(string header, string statistics, string values, RgbImage? picture) =>
        (Header, Statistics, Values, Picture) = (header, statistics, values, picture);

    /// <summary>Shape, element type and device: <c>Tensor [2, 3] Float32 on cpu</c>.</summary>
    public string Header { get; }

    /// <summary>Least and largest value, mean and standard deviation; empty where there is nothing to measure.</summary>
    public string Statistics { get; }

    /// <summary>The first few values.</summary>
    public string Values { get; }

    /// <summary>The picture that the tensor is, or null.</summary>
    public RgbImage? Picture { get; }

    /// <summary>Inspects a tensor; it is not changed.</summary>
    /// <param name="tensor">Any tensor. One on a GPU is waited for.</param>
    public static TensorView Of(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var header =
            $"Tensor [{string.Join(", ", tensor.shape)}] {tensor.dtype} on "
            + $"{tensor.device}{(tensor.requires_grad ? ", requires grad" : string.Empty)}";
        if (tensor.device_type == TorchSharp.DeviceType.META || tensor.numel() == 0 || tensor.is_complex())
            return new(header, string.Empty, string.Empty, null);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var values = tensor.detach().to(ScalarType.Float64);
        var deviation = tensor.numel() > 1 ? values.std().item<double>() : 0;
        var statistics = string.Create(
            CultureInfo.InvariantCulture,
            $"min {values.min().item<double>():g5}, max {values.max().item<double>():g5}, mean {values.mean().item<double>():g5}, std "
            + $"{deviation:g5}");
        var first = values.reshape(-1).narrow(0, 0, Math.Min(tensor.numel(), ShownValues)).cpu().data<double>()
            .Select(value => value.ToString("g5", CultureInfo.InvariantCulture));
        return new(header, statistics, string.Join(", ", first) + (tensor.numel() > ShownValues ? ", …" : string.Empty), PictureOf(tensor));
    }

    /// <summary>The view as plain text.</summary>
    public override string ToString() =>
        string.Join("\n", new[] { Header, Statistics, Values }.Where(line => line.Length > 0));

    /// <summary>The view as an HTML fragment; self-contained.</summary>
    public string ToHtml()
    {
        var lines = new[] { Statistics, Values }.Where(line => line.Length > 0)
            .Select(line => $"<div style=\"opacity:.75\">{WebUtility.HtmlEncode(line)}</div>");
        var picture = Picture is null ? string.Empty
            : "<img alt=\"\" style=\"display:block;margin-top:.4em;max-width:256px;border-radius:4px\" "
                + $"src=\"{PictureEmbedding.Small.DataUri(Picture, 256)}\">";
        return "<div style=\"font:13px/1.45 "
            + $"ui-monospace,monospace\"><div><b>{WebUtility.HtmlEncode(Header)}</b></div>{string.Concat(lines)}{picture}</div>";
    }

    private static RgbImage? PictureOf(Tensor tensor)
    {
        var shape = tensor.shape;
        var isPicture = tensor.is_floating_point()
            && (shape.Length == 3 || (shape.Length == 4 && shape[0] == 1))
            && shape[^3] == 3 && shape[^2] is >= 8 and <= LargestPictureSide && shape[^1] is >= 8 and <= LargestPictureSide;
        if (!isPicture)
            return null;
        var pixels = tensor.detach().to(ScalarType.Float32, CPU).reshape(1, 3, shape[^2], shape[^1]);
        var (least, largest) = (pixels.min().item<float>(), pixels.max().item<float>());
        if (!(least >= -1.5f && largest <= 1.5f))
            return null;
        return PixelTensors.Unstack(least >= 0 ? (pixels * 2) - 1 : pixels)[0];
    }
}
