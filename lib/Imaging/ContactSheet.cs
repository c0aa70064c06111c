using Dreambooth.Lab.Foundation;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// A grid of pictures for reports: an optional title, headings over the columns and before the rows, a caption under each picture.
/// Every cell has one size; a picture is scaled into it whole, enlarged without smoothing and reduced with it.
/// </summary>
internal sealed record ContactSheet
{
    private const int Margin = 20;
    private const int Gap = 12;
    private const int TextGap = 6;
    private const int MaxRowHeading = 180;

    /// <summary>The pictures, row by row; rows may have different lengths, null leaves a cell empty.</summary>
    public required IReadOnlyList<IReadOnlyList<ContactSheetCell?>> Rows { get; init; }

    /// <summary>A line over everything; null for none.</summary>
    public string? Title { get; init; }

    /// <summary>A heading over each column, as many as the longest row has cells; empty for none.</summary>
    public IReadOnlyList<string> ColumnHeadings { get; init; } = [];

    /// <summary>A heading before each row, as many as there are rows; empty for none.</summary>
    public IReadOnlyList<string> RowHeadings { get; init; } = [];

    /// <summary>Pixels of a cell's sides, 32 … 2048.</summary>
    public int CellSize { get; init; } = 256;

    /// <summary>Lines a caption may take before it ends in "…", 1 … 10.</summary>
    public int MaxCaptionLines { get; init; } = 3;

    /// <summary>A sheet of pictures in reading order.</summary>
    /// <param name="cells">The pictures, at least one.</param>
    /// <param name="columns">Pictures in a row, at least 1; the last row may be shorter.</param>
    public static ContactSheet Of(IEnumerable<ContactSheetCell> cells, int columns)
    {
        ArgumentNullException.ThrowIfNull(cells);
        if (columns < 1)
            throw new LabException($"A contact sheet of {columns} columns is not possible: at least 1 is needed.");
        return new ContactSheet { Rows = [.. cells.Chunk(columns)] };
    }

    /// <summary>Checks every option.</summary>
    /// <exception cref="LabException">Something is out of range; one message lists all of it.</exception>
    public void Validate()
    {
        var columns = Rows.Count == 0 ? 0 : Rows.Max(row => row.Count);
        List<string> errors = [];
        if (columns == 0)
            errors.Add("there is no picture");
        if (CellSize is < 32 or > 2048)
            errors.Add($"CellSize is {CellSize}, it must lie in 32 … 2048");
        if (MaxCaptionLines is < 1 or > 10)
            errors.Add($"MaxCaptionLines is {MaxCaptionLines}, it must lie in 1 … 10");
        if (ColumnHeadings.Count != 0 && ColumnHeadings.Count != columns)
            errors.Add($"there are {ColumnHeadings.Count} column headings for {columns} columns");
        if (RowHeadings.Count != 0 && RowHeadings.Count != Rows.Count)
            errors.Add($"there are {RowHeadings.Count} row headings for {Rows.Count} rows");
        if (errors.Count > 0)
            throw new LabException($"The contact sheet cannot be drawn: {string.Join("; ", errors)}.");
    }

    /// <summary>Draws the sheet on white.</summary>
    /// <exception cref="LabException">An option is out of range (<see cref="Validate"/>).</exception>
    public RgbImage Render()
    {
        Validate();
        using var title = new SheetText(26, SheetTypeface.SemiBold, new SKColor(0x1A, 0x1D, 0x23));
        using var heading = new SheetText(17, SheetTypeface.SemiBold, new SKColor(0x2D, 0x33, 0x3D));
        using var caption = new SheetText(14, SheetTypeface.Regular, new SKColor(0x4A, 0x52, 0x5E));
        var plan = Plan(title, heading, caption);
        using var bitmap = new SKBitmap(new SKImageInfo(plan.Width, plan.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.Clear(SKColors.White);
            DrawHeadings(canvas, plan, title, heading);
            for (var row = 0; row < Rows.Count; row++)
            {
                for (var column = 0; column < Rows[row].Count; column++)
                    DrawCell(canvas, Rows[row][column], plan.CellAt(row, column), caption, plan.Captions[row][column]);
            }
        }

        return ImageEncoder.FromBitmap(bitmap);
    }

    private SheetPlan Plan(SheetText title, SheetText heading, SheetText caption)
    {
        var columns = Rows.Max(row => row.Count);
        IReadOnlyList<string>[] columnHeadings = [.. ColumnHeadings.Select(text => heading.Wrap(text, CellSize, 3))];
        IReadOnlyList<string>[] rowHeadings =
            [.. RowHeadings.Select(text => heading.Wrap(text, MaxRowHeading, Math.Max(1, CellSize / heading.LineHeight)))];
        IReadOnlyList<string>[][] captions =
            [.. Rows.Select(row => row.Select(cell => caption.Wrap(cell?.Caption ?? "", CellSize, MaxCaptionLines)).ToArray())];
        var left = Margin + (rowHeadings.Length == 0 ? 0 : heading.Width(rowHeadings.SelectMany(lines => lines)) + Gap);
        var width = left + columns * CellSize + (columns - 1) * Gap + Margin;
        var titleLines = title.Wrap(Title ?? "", width - 2 * Margin, 3);
        var top = Margin + titleLines.Count * title.LineHeight + (titleLines.Count > 0 ? Gap : 0);
        var headingLines = columnHeadings.Length == 0 ? 0 : columnHeadings.Max(lines => lines.Count);
        var y = top + headingLines * heading.LineHeight + (headingLines > 0 ? TextGap : 0);
        var tops = new int[Rows.Count];
        for (var row = 0; row < Rows.Count; row++)
        {
            tops[row] = y;
            var lines = captions[row].Length == 0 ? 0 : captions[row].Max(text => text.Count);
            y += CellSize + (lines > 0 ? TextGap + lines * caption.LineHeight : 0) + Gap;
        }

        return new SheetPlan(width, y - Gap + Margin, left, top, CellSize + Gap, tops, titleLines, columnHeadings, rowHeadings, captions);
    }

    private void DrawHeadings(SKCanvas canvas, SheetPlan plan, SheetText title, SheetText heading)
    {
        title.Draw(canvas, plan.Title, Margin, Margin, plan.Width - 2 * Margin, centered: false);
        var lines = plan.ColumnHeadings.Count == 0 ? 0 : plan.ColumnHeadings.Max(text => text.Count);
        for (var column = 0; column < plan.ColumnHeadings.Count; column++)
        {
            var top = plan.HeadingTop + (lines - plan.ColumnHeadings[column].Count) * heading.LineHeight;
            heading.Draw(canvas, plan.ColumnHeadings[column], plan.Left + column * plan.Step, top, CellSize, centered: true);
        }

        for (var row = 0; row < plan.RowHeadings.Count; row++)
        {
            var top = plan.RowTops[row] + (CellSize - plan.RowHeadings[row].Count * heading.LineHeight) / 2;
            heading.Draw(canvas, plan.RowHeadings[row], Margin, top, plan.Left - Margin - Gap, centered: false);
        }
    }

    private void DrawCell(SKCanvas canvas, ContactSheetCell? cell, SKPointI at, SheetText caption, IReadOnlyList<string> captionLines)
    {
        if (cell is null)
        {
            using var empty = new SKPaint { Color = new SKColor(0xF1, 0xF3, 0xF5) };
            canvas.DrawRect(at.X, at.Y, CellSize, CellSize, empty);
            return;
        }

        var scale = (float)CellSize / Math.Max(cell.Image.Width, cell.Image.Height);
        var width = Math.Max(1, MathF.Round(cell.Image.Width * scale));
        var height = Math.Max(1, MathF.Round(cell.Image.Height * scale));
        var place = SKRect.Create(at.X + MathF.Floor((CellSize - width) / 2), at.Y + MathF.Floor((CellSize - height) / 2), width, height);
        var picture = scale < 1 ? ImageResizer.Resize(cell.Image, (int)width, (int)height) : cell.Image;
        using var bitmap = ImageEncoder.ToBitmap(picture);
        using var image = SKImage.FromBitmap(bitmap);
        canvas.DrawImage(image, place, new SKSamplingOptions(SKFilterMode.Nearest));
        caption.Draw(canvas, captionLines, at.X, at.Y + CellSize + TextGap, CellSize, centered: true);
    }

    private sealed record SheetPlan(
        int Width,
        int Height,
        int Left,
        int HeadingTop,
        int Step,
        IReadOnlyList<int> RowTops,
        IReadOnlyList<string> Title,
        IReadOnlyList<IReadOnlyList<string>> ColumnHeadings,
        IReadOnlyList<IReadOnlyList<string>> RowHeadings,
        IReadOnlyList<IReadOnlyList<string>>[] Captions)
    {
        public SKPointI CellAt(int row, int column) => new(Left + column * Step, RowTops[row]);
    }
}
