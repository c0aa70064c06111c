using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Display;

/// <summary>A map of values over a picture, such as the attention to a token, with its legend.</summary>
internal sealed record AttentionOverlay : HtmlView
{
    public required RgbImage Picture { get; init; }

    /// <summary>The values <c>[h, w]</c>, 0 … 1, of any size; they are spread smoothly over the picture.</summary>
    public required double[,] Map { get; init; }

    /// <summary>What the map is of; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>Labels of 0 and 1 beside the legend. Default "0" and "1"; <see cref="Of"/> uses the map's own range.</summary>
    public (string Low, string High) Range { get; init; } = ("0", "1");

    /// <summary>Whether the picture alone and the map alone stand beside the overlay. Default false.</summary>
    public bool SideBySide { get; init; }

    /// <summary>
    /// How much of the map's colour covers the picture where the value is 1, 0 … 1; a third of it where it is 0. Default 0.7.
    /// </summary>
    public double Opacity { get; init; } = 0.7;

    /// <summary>The widest a picture gets, in CSS pixels, 32 … 1024. Default 240.</summary>
    public int CellSize { get; init; } = 240;

    /// <summary>An overlay of a tensor's values, stretched from their least and largest to 0 … 1.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="map">Values <c>[h, w]</c>, of any range, type and device.</param>
    /// <param name="title">What they are.</param>
    /// <exception cref="LabException">The tensor has another number of dimensions.</exception>
    public static AttentionOverlay Of(RgbImage picture, Tensor map, string title = "")
    {
        ArgumentNullException.ThrowIfNull(map);
        if (map.dim() != 2 || map.numel() == 0)
            throw new LabException($"A map has the shape [h, w], not [{string.Join(", ", map.shape)}].");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        double[] values = [.. map.detach().to(ScalarType.Float64, CPU).contiguous().data<double>()];
        double[] finite = [.. values.Where(double.IsFinite).DefaultIfEmpty(0)];
        var (least, largest) = (finite.Min(), finite.Max());
        int height = (int)map.shape[0], width = (int)map.shape[1];
        var grid = new double[height, width];
        for (var i = 0; i < values.Length; i++)
            grid[i / width, i % width] = largest > least ? (values[i] - least) / (largest - least) : 0;
        static string Text(double value) => value.ToString("g3", CultureInfo.InvariantCulture);
        return new AttentionOverlay { Picture = picture, Map = grid, Title = title, Range = (Text(least), Text(largest)) };
    }

    /// <summary>
    /// The picture under the map's colours: the higher the value, the more of them; a picture for an <see cref="ImageGrid"/>.
    /// </summary>
    /// <exception cref="LabException">The map is empty, or the opacity out of range.</exception>
    public RgbImage ToImage() => Draw(value => Opacity * (1 + (2 * Math.Clamp(value, 0, 1))) / 3);

    /// <summary>The map alone, as large as the picture.</summary>
    /// <exception cref="LabException">The map is empty.</exception>
    public RgbImage MapImage() => Draw(static _ => 1);

    /// <summary>What the map is of, its shape and range, and where its largest value lies.</summary>
    public override string ToText()
    {
        var (row, column, largest) = Peak();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(Title.Length > 0 ? Title + ": " : string.Empty)}map [{Map.GetLength(0)}, {Map.GetLength(1)}] over {Picture.Width} × "
            + $"{Picture.Height} pixels, {Range.Low} … {Range.High}, largest ({largest:0.00} of 1) at row {row}, column {column}");
    }

    /// <summary>What <see cref="ToImage"/> draws, as PNG.</summary>
    public override byte[]? ToPng() => ImageEncoder.EncodePng(ToImage());

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        writer.Use(ViewAsset.Parts);
        GridCell overlay = GridCell.Of(ToImage(), SideBySide ? "both" : string.Empty, Title);
        var grid = new ImageGrid
        {
            Title = Title,
            Rows = [SideBySide ? [GridCell.Of(Picture, "picture", Title), GridCell.Of(MapImage(), "map", Title), overlay] : [overlay]],
            CellSize = CellSize,
        };
        grid.Write(writer);
        writer.Open("div", ("class", "lab-legend")).Element("span", Range.Low);
        writer.Empty(
            "img", ("src", PictureEmbedding.Data("png", ImageEncoder.EncodePng(HeatMap.Legend(160, 1)))), ("width", "160"), ("height", "8"),
            ("alt", "from low to high"));
        writer.Element("span", Range.High).Close();
    }

    private RgbImage Draw(Func<double, double> cover)
    {
        if (Map.Length == 0 || Opacity is not (>= 0 and <= 1))
            throw new LabException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The overlay cannot be drawn: the map has {Map.Length} values (at least 1), Opacity is {Opacity} (0 … 1)."));
        var image = new RgbImage(Picture.Width, Picture.Height);
        for (var y = 0; y < image.Height; y++)
        {
            for (var x = 0; x < image.Width; x++)
            {
                var value = ValueAt((y + 0.5) / image.Height, (x + 0.5) / image.Width);
                var part = cover(value);
                var (below, above) = (Picture[x, y], HeatMap.Color(value));
                byte Mix(byte a, byte b) => (byte)Math.Round(a + (part * (b - a)));
                image[x, y] = (Mix(below.Red, above.Red), Mix(below.Green, above.Green), Mix(below.Blue, above.Blue));
            }
        }

        return image;
    }

    // Linear between the centres of the map's cells.
    private double ValueAt(double down, double across)
    {
        int height = Map.GetLength(0), width = Map.GetLength(1);
        double y = Math.Clamp((down * height) - 0.5, 0, height - 1), x = Math.Clamp((across * width) - 0.5, 0, width - 1);
        int top = (int)y, left = (int)x, bottom = Math.Min(top + 1, height - 1), right = Math.Min(left + 1, width - 1);
        double Cell(int row, int column) => double.IsFinite(Map[row, column]) ? Map[row, column] : 0;
        double upper = Cell(top, left) + ((x - left) * (Cell(top, right) - Cell(top, left)));
        double lower = Cell(bottom, left) + ((x - left) * (Cell(bottom, right) - Cell(bottom, left)));
        return upper + ((y - top) * (lower - upper));
    }

    private (int Row, int Column, double Value) Peak()
    {
        var peak = (Row: 0, Column: 0, Value: double.NegativeInfinity);
        for (var i = 0; i < Map.GetLength(0); i++)
        {
            for (var j = 0; j < Map.GetLength(1); j++)
            {
                if (Map[i, j] > peak.Value)
                    peak = (i, j, Map[i, j]);
            }
        }

        return peak;
    }
}
