using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Imaging;

public sealed class ContactSheetTests
{
    private static RgbImage Plain(int width, int height, (byte, byte, byte) colour)
    {
        var image = new RgbImage(width, height);
        for (var i = 0; i < width * height; i++)
            image[i % width, i / width] = colour;
        return image;
    }

    private static int Inked(RgbImage image) => image.Pixels.Chunk(3).Count(pixel => pixel.Max() < 200);

    [Fact]
    public void Render_TwoRows_ShowsEachPictureInItsCell()
    {
        var sheet = new ContactSheet
        {
            CellSize = 64,
            Rows = [[new(Plain(64, 64, (255, 0, 0))), new(Plain(16, 16, (0, 255, 0)))], [new(Plain(200, 100, (0, 0, 255))), null]],
        }.Render();
        Assert.Equal((20 + 64 + 12 + 64 + 20, 20 + 64 + 12 + 64 + 20), (sheet.Width, sheet.Height));
        Assert.Equal((255, 255, 255), sheet[3, 3]);
        Assert.Equal((255, 0, 0), sheet[20, 20]);
        Assert.Equal((255, 0, 0), sheet[83, 83]);
        Assert.Equal((0, 255, 0), sheet[96, 20]);
        Assert.Equal((0, 0, 255), sheet[52, 128]);
        Assert.Equal((255, 255, 255), sheet[52, 98]);
        Assert.Equal((0xF1, 0xF3, 0xF5), sheet[128, 128]);
    }

    [Theory]
    [InlineData("a photo of sks cat")]
    [InlineData("Grüße, naïve façade")]
    public void Render_Text_LeavesInkFromTheCarriedFont(string text)
    {
        var picture = Plain(64, 64, (255, 255, 255));
        ContactSheet Sheet(string? caption, string? title, string[] columns, string[] rows) =>
            new() { Rows = [[new(picture, caption)]], CellSize = 160, Title = title, ColumnHeadings = columns, RowHeadings = rows };
        Assert.Equal(0, Inked(Sheet(null, null, [], []).Render()));
        var inked =
            new[] { Sheet(text, null, [], []), Sheet(null, text, [], []), Sheet(null, null, [text], []), Sheet(null, null, [], [text]) };
        Assert.All(inked, sheet => Assert.True(Inked(sheet.Render()) > 100, "the text is not there"));
    }

    [Fact]
    public void Render_LongCaption_IsWrappedAndCut()
    {
        var words = string.Join(' ', Enumerable.Repeat("photograph", 60)) + new string('x', 300);
        RgbImage Sheet(int lines) => new ContactSheet { Rows = [[new(Plain(8, 8, (9, 9, 9)), words)]], MaxCaptionLines = lines }.Render();
        Assert.Equal(Sheet(1).Width, Sheet(3).Width);
        Assert.True(Sheet(3).Height > Sheet(1).Height);
        Assert.True(Sheet(3).Height < 256 + 120);
    }

    [Fact]
    public void Of_FivePicturesInTwoColumns_HasThreeRows()
    {
        var sheet = ContactSheet.Of(Enumerable.Range(0, 5).Select(_ => new ContactSheetCell(Plain(4, 4, (1, 2, 3)))), 2);
        Assert.Equal([2, 2, 1], sheet.Rows.Select(row => row.Count));
    }

    [Fact]
    public void Render_WrongOptions_ListsAllOfThem()
    {
        var sheet = new ContactSheet
        {
            Rows = [[null, null]],
            CellSize = 5,
            MaxCaptionLines = 0,
            ColumnHeadings = ["a"],
            RowHeadings = ["a", "b"],
        };
        var error = Assert.Throws<LabException>(sheet.Render);
        Assert.Contains("CellSize is 5", error.Message, StringComparison.Ordinal);
        Assert.Contains("MaxCaptionLines is 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("1 column headings for 2 columns", error.Message, StringComparison.Ordinal);
        Assert.Contains("2 row headings for 1 rows", error.Message, StringComparison.Ordinal);
    }
}
