using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Display;

public sealed class ImageGridTests : IDisposable
{
    private const string Hostile = "<script>alert(1)</script> & \"a' cat\u0001\ud800";
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-grid-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ToHtml_LongPrompts_AreCut()
    {
        var prompt = new string('p', 5000);
        var grid = ImageGrid.By([new RgbImage(8, 8)], _ => prompt, _ => "column", image => GridCell.Of(image, prompt, $"{prompt}\nseed 1"));
        Assert.DoesNotContain(new string('p', 1001), grid.ToHtml(), StringComparison.Ordinal);
        Assert.DoesNotContain(new string('p', 1001), grid.ToText(), StringComparison.Ordinal);
        Assert.Equal(new string('p', 200) + "…", Assert.Single(grid.RowHeadings));
        Assert.Equal(new string('p', 200) + "…", grid.Rows[0][0]!.Caption);
        Assert.EndsWith("…\nseed 1", grid.Rows[0][0]!.Details, StringComparison.Ordinal);
    }

    [Fact]
    public void ToHtml_HostileTexts_StayTexts()
    {
        var grid = new ImageGrid
        {
            Title = Hostile,
            Rows = [[GridCell.Of(new RgbImage(2, 2), Hostile, Hostile)]],
            RowHeadings = [Hostile],
            ColumnHeadings = [Hostile],
        };
        var html = HtmlDocument.Parse(grid);
        Assert.Single(html.Descendants("script"));
        const string Shown = "<script>alert(1)</script> & \"a' cat\uFFFD\uFFFD";
        Assert.Equal(Shown, html.Descendants("h3").Single().Value);
        Assert.Equal(Shown, html.Descendants("figcaption").Single().Value);
        Assert.Equal(Shown, html.ByClass("lab-row").Single().Value);
        Assert.Equal(Shown, html.ByClass("lab-zoom").Single().Attribute("data-details")!.Value);
    }

    [Fact]
    public void ToHtml_PictureInMemory_HoldsThePicture()
    {
        var image = new RgbImage(3, 2) { [1, 1] = (10, 200, 30) };
        var source = HtmlDocument.Parse(ImageGrid.Of([GridCell.Of(image)], 1) with { Embedding = PictureEmbedding.Original })
            .Descendants("img").Single().Attribute("src")!.Value;
        Assert.StartsWith("data:image/png;base64,", source, StringComparison.Ordinal);
        Assert.Equal(image.Pixels, ImageDecoder.Decode(Convert.FromBase64String(source.Split(',')[1]), "test").Pixels);
    }

    [Fact]
    public void ToHtml_RelativePaths_AreWrittenAsAddresses()
    {
        var path = Path.Combine(_folder, "a", "000_50% of #1 cat?", "img_00.png");
        ImageEncoder.Save(path, new RgbImage(2, 2));
        var grid = ImageGrid.Of([GridCell.FromFile(path)], 1) with { RelativeTo = Path.Combine(_folder, "b") };
        var source = HtmlDocument.Parse(grid).Descendants("img").Single().Attribute("src")!.Value;
        Assert.Equal("../a/000_50%25%20of%20%231%20cat%3F/img_00.png", source);
    }

    [Fact]
    public void ToHtml_MissingFile_NamesIt()
    {
        var path = Path.Combine(_folder, "none.png");
        Assert.Contains(
            path, Assert.Throws<LabException>(() => ImageGrid.Of([GridCell.FromFile(path)], 1).ToHtml()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void By_RowsAndColumns_PutsEachInItsPlaceAndLeavesGaps()
    {
        (string Row, string Column)[] items = [("a", "x"), ("a", "y"), ("b", "y")];
        var grid = ImageGrid.By(
            items, item => item.Row, item => item.Column, item => GridCell.Of(new RgbImage(1, 1), item.Row + item.Column));
        Assert.Equal(["a", "b"], grid.RowHeadings);
        Assert.Equal(["x", "y"], grid.ColumnHeadings);
        Assert.Equal(["ax", "ay", null, "by"], grid.Rows.SelectMany(row => row).Select(cell => cell?.Caption));
        Assert.Single(HtmlDocument.Parse(grid).ByClass("lab-empty"));
    }

    [Fact]
    public void ToHtml_ColumnGroups_SpanTheirColumnsAndNameTheirPictures()
    {
        var cell = GridCell.Of(new RgbImage(1, 1));
        var grid = new ImageGrid
        {
            Rows = [[cell, cell, cell]],
            RowHeadings = ["r"],
            ColumnHeadings = ["x", "y", "x"],
            ColumnGroups = [("before", 2), ("after", 1)],
        };
        var html = HtmlDocument.Parse(grid);
        Assert.Equal(
            ["grid-column:span 2", "grid-column:span 1"], html.ByClass("lab-group").Select(group => group.Attribute("style")!.Value));
        Assert.Equal(
            ["r, before, x", "r, before, y", "r, after, x"], html.Descendants("img").Select(image => image.Attribute("alt")!.Value));
        // Rows of 1 heading, 3 cells and 1 gap; the groups' row spans as many tracks.
        Assert.Equal(1 + 2 + 1 + 5 + 5, html.ByClass("lab-cells").Single().Elements("tr").Sum(row => row.Elements().Count()));
        Assert.Throws<LabException>(() => (grid with { ColumnGroups = [("before", 2)] }).ToHtml());
    }

    [Fact]
    public void ToImage_Grid_IsOneContactSheet()
    {
        (byte, byte, byte)[] colors = [(200, 10, 10), (10, 200, 10), (10, 10, 200)];
        var sheet = ImageGrid.Of(colors.Select(color => GridCell.Of(Plain(color))), 2).ToImage(32);

        // Two columns and rows of 32 pixels, 12 between them and 20 around.
        Assert.Equal((116, 116), (sheet.Width, sheet.Height));
        var around = ((byte)255, (byte)255, (byte)255);
        Assert.Equal(
            [colors[0], colors[1], colors[2], around],
            new[] { (36, 36), (80, 36), (36, 80), (80, 80) }.Select(at => sheet[at.Item1, at.Item2]));
        Assert.Equal([around, around], new[] { (19, 36), (58, 36) }.Select(at => sheet[at.Item1, at.Item2]));
    }

    [Fact]
    public void ToHtml_WrongHeadings_SaysHowMany()
    {
        var grid = ImageGrid.Of([GridCell.Of(new RgbImage(1, 1))], 1) with { ColumnHeadings = ["a", "b"], CellSize = 9 };
        Assert.Equal(
            "The grid cannot be shown: there are 2 column headings for 1 columns; CellSize is 9, it must lie in 32 … 1024.",
            Assert.Throws<LabException>(grid.ToHtml).Message);
    }

    private static RgbImage Plain((byte, byte, byte) color)
    {
        var image = new RgbImage(8, 8);
        for (var i = 0; i < 64; i++)
            image[i % 8, i / 8] = color;
        return image;
    }
}
