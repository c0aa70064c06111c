using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Pictures in rows and columns with headings and captions; a click enlarges one. As HTML (<see cref="HtmlView.ToHtml"/>) and, where
/// nothing shows HTML, as one picture (<see cref="ToImage"/>).
/// </summary>
public sealed record ImageGrid : HtmlView
{
    /// <summary>The pictures, row by row; rows may have different lengths, null leaves a cell empty.</summary>
    public required IReadOnlyList<IReadOnlyList<GridCell?>> Rows { get; init; }

    /// <summary>A line over the grid; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>A heading over each column, as many as the longest row has cells; empty for none.</summary>
    public IReadOnlyList<string> ColumnHeadings { get; init; } = [];

    /// <summary>
    /// Headings over several columns each, which stand a little apart from each other; empty for none. Together they span all columns.
    /// </summary>
    public IReadOnlyList<(string Heading, int Columns)> ColumnGroups { get; init; } = [];

    /// <summary>A heading before each row, as many as there are rows; empty for none.</summary>
    public IReadOnlyList<string> RowHeadings { get; init; } = [];

    /// <summary>The widest a cell gets, in CSS pixels, 32 … 1024. Default 200.</summary>
    public int CellSize { get; init; } = 200;

    /// <summary>
    /// The folder that picture files are named from; null (the default) puts every picture into the HTML itself, so that it shows
    /// wherever it lies.
    /// </summary>
    public string? RelativeTo { get; init; }

    /// <summary>How pictures are put into the HTML. Default small: <see cref="PictureEmbedding.Small"/>.</summary>
    public PictureEmbedding Embedding { get; init; } = PictureEmbedding.Small;

    /// <summary>A grid in reading order.</summary>
    /// <param name="cells">The pictures.</param>
    /// <param name="columns">Pictures in a row, at least 1; the last row may be shorter.</param>
    public static ImageGrid Of(IEnumerable<GridCell> cells, int columns)
    {
        ArgumentNullException.ThrowIfNull(cells);
        return columns >= 1
            ? new ImageGrid { Rows = [.. cells.Chunk(columns)] }
            : throw new LabException($"A grid of {columns} columns is not possible: at least 1 is needed.");
    }

    /// <summary>A grid of whatever has a row and a column, both in the order in which they first come; long headings are cut.</summary>
    /// <typeparam name="T">What there is, such as the results of a sweep.</typeparam>
    /// <param name="items">Each is one cell; of several in one place the last is shown.</param>
    /// <param name="row">Heading of the row that it belongs to.</param>
    /// <param name="column">Heading of the column that it belongs to.</param>
    /// <param name="cell">How it is shown.</param>
    public static ImageGrid By<T>(IEnumerable<T> items, Func<T, string> row, Func<T, string> column, Func<T, GridCell> cell)
    {
        ArgumentNullException.ThrowIfNull(items);
        var places = items.Select(item => (Row: row(item), Column: column(item), Cell: cell(item))).ToList();
        string[] rows = [.. places.Select(place => place.Row).Distinct()], columns = [.. places.Select(place => place.Column).Distinct()];
        var cells = places.GroupBy(place => (place.Row, place.Column)).ToDictionary(group => group.Key, group => group.Last().Cell);
        return new ImageGrid
        {
            Rows = [.. rows.Select(r => columns.Select(c => cells.GetValueOrDefault((r, c))).ToArray())],
            RowHeadings = [.. rows.Select(heading => ShownText.Cut(heading))],
            ColumnHeadings = [.. columns.Select(heading => ShownText.Cut(heading))],
        };
    }

    /// <summary>The grid as one picture, on white.</summary>
    /// <param name="cellSize">Pixels of a cell's sides; null for <see cref="CellSize"/>.</param>
    /// <exception cref="LabException">A picture file cannot be read, or the headings are not as many as rows or columns.</exception>
    public RgbImage ToImage(int? cellSize = null) => new ContactSheet
    {
        Rows = [.. Rows.Select(row => row.Select(cell => cell is null ? null : new ContactSheetCell(cell.Load(), cell.Caption)).ToArray())],
        Title = Title.Length > 0 ? Title : null,
        ColumnHeadings = ColumnGroups.Count == 0 ? ColumnHeadings : [.. Enumerable.Range(0, Columns).Select(ColumnName)],
        RowHeadings = RowHeadings,
        CellSize = cellSize ?? CellSize,
    }.Render();

    /// <summary>Checks every option.</summary>
    /// <exception cref="LabException">Something is out of range; one message lists all of it.</exception>
    public void Validate()
    {
        List<string> errors = [];
        if (ColumnHeadings.Count != 0 && ColumnHeadings.Count != Columns)
            errors.Add($"there are {ColumnHeadings.Count} column headings for {Columns} columns");
        if (RowHeadings.Count != 0 && RowHeadings.Count != Rows.Count)
            errors.Add($"there are {RowHeadings.Count} row headings for {Rows.Count} rows");
        if (ColumnGroups.Count != 0
            && (ColumnGroups.Any(group => group.Columns < 1) || ColumnGroups.Sum(group => group.Columns) != Columns))
            errors.Add($"the column groups span {string.Join(" + ", ColumnGroups.Select(group => group.Columns))} of {Columns} columns");
        if (CellSize is < 32 or > 1024)
            errors.Add($"CellSize is {CellSize}, it must lie in 32 … 1024");
        if (errors.Count > 0)
            throw new LabException($"The grid cannot be shown: {string.Join("; ", errors)}.");
    }

    /// <summary>The title, and a line for each picture: headings, caption and details.</summary>
    public override string ToText()
    {
        Validate();
        var lines = Rows.SelectMany(
            (row, r) => row.Select((cell, c) => cell is null ? string.Empty : Join(" · ", Describe(cell, r, c), cell.Details)));
        return Join("\n", [Title, .. lines, Counted()]);
    }

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        Validate();
        writer.Use(ViewAsset.Grid).Use(ViewAsset.Zoom).Open("section", ("class", "lab-grid"));
        if (Title.Length > 0)
            writer.Element("h3", Title);
        var headed = RowHeadings.Count > 0;
        writer.Open("table", ("style", $"--cell:{CellSize.ToString(CultureInfo.InvariantCulture)}px;--tracks:{Tracks()}"));
        writer.Open("tbody", ("class", headed ? "lab-cells lab-headed" : IsFlow ? "lab-cells lab-flow" : "lab-cells"));
        WriteColumnHeadings(writer, headed);
        for (var row = 0; row < Rows.Count; row++)
        {
            writer.Open("tr");
            if (headed)
                writer.Element("th", RowHeadings[row], ("scope", "row"), ("class", "lab-row"));
            for (var column = 0; column < (IsFlow ? Rows[row].Count : Columns); column++)
            {
                WriteGap(writer, column);
                WriteCell(writer, row, column);
            }

            writer.Close();
        }

        writer.Close().Close().Close();
    }

    private int Columns => Rows.Count == 0 ? 0 : Rows.Max(row => row.Count);

    // Without headings a row has no meaning of its own: a narrow window may break rows elsewhere.
    private bool IsFlow =>
        RowHeadings.Count == 0 && ColumnHeadings.Count == 0 && ColumnGroups.Count == 0
            && Rows.Take(Rows.Count - 1).All(row => row.Count == Columns);

    // The columns' widths as CSS has them: groups of equal columns with a narrow one between.
    private string Tracks()
    {
        var groups = ColumnGroups.Count > 0 ? ColumnGroups.Select(group => group.Columns) : [Math.Max(Columns, 1)];
        return string.Join(
            " 14px ", groups.Select(count => string.Create(CultureInfo.InvariantCulture, $"repeat({count}, minmax(0, var(--cell)))")));
    }

    private void WriteColumnHeadings(HtmlWriter writer, bool headed)
    {
        if (ColumnGroups.Count > 0)
        {
            writer.Open("tr");
            if (headed)
                writer.Element("td", string.Empty, ("class", "lab-corner"));
            for (var group = 0; group < ColumnGroups.Count; group++)
            {
                if (group > 0)
                    writer.Element("td", string.Empty);
                var span = ColumnGroups[group].Columns.ToString(CultureInfo.InvariantCulture);
                writer.Element(
                    "th", ColumnGroups[group].Heading, ("class", "lab-group"), ("colspan", span), ("style", $"grid-column:span {span}"));
            }

            writer.Close();
        }

        if (ColumnHeadings.Count == 0)
            return;
        writer.Open("tr");
        if (headed)
            writer.Element("td", string.Empty, ("class", "lab-corner"));
        for (var column = 0; column < ColumnHeadings.Count; column++)
        {
            WriteGap(writer, column);
            writer.Element("th", ColumnHeadings[column], ("scope", "col"), ("class", "lab-column"));
        }

        writer.Close();
    }

    private void WriteGap(HtmlWriter writer, int column)
    {
        var start = 0;
        foreach (var (_, count) in ColumnGroups)
        {
            if (column == start && column > 0)
                writer.Element("td", string.Empty);
            start += count;
        }
    }

    // Without a script a click opens the details, which the style shows over everything; without styles they stand under the picture.
    private void WriteCell(HtmlWriter writer, int row, int column)
    {
        var cell = column < Rows[row].Count ? Rows[row][column] : null;
        if (cell is null)
        {
            writer.Element("td", string.Empty, ("class", "lab-empty"));
            return;
        }

        var description = Describe(cell, row, column);
        writer.Open("td").Open("figure", ("title", Join("\n", description, cell.Details)));
        writer.Open("details", ("class", "lab-zoom"), ("data-details", cell.Details)).Open("summary");
        writer.Empty(
            "img", ("src", PictureSource.Of(cell, RelativeTo, Embedding, CellSize)), ("alt", description),
            ("width", CellSize.ToString(CultureInfo.InvariantCulture)), ("loading", "lazy"));
        writer.Close().Element("p", Join("\n", description, cell.Details)).Close();
        if (cell.Caption.Length > 0)
            writer.Element("figcaption", cell.Caption);
        writer.Close().Close();
    }

    private string Counted()
    {
        var count = Rows.Sum(row => row.Count(cell => cell is not null));
        return count == 1 ? "(1 picture)" : $"({count} pictures)";
    }

    private string Describe(GridCell cell, int row, int column) =>
        Join(", ", RowHeadings.Count > 0 ? RowHeadings[row] : string.Empty, ColumnName(column), cell.Caption);

    private string ColumnName(int column)
    {
        var end = 0;
        var group = ColumnGroups.FirstOrDefault(group => column < (end += group.Columns)).Heading;
        return Join(", ", group ?? string.Empty, ColumnHeadings.Count > 0 ? ColumnHeadings[column] : string.Empty);
    }

    private static string Join(string separator, params string[] parts) => string.Join(separator, parts.Where(part => part.Length > 0));
}
