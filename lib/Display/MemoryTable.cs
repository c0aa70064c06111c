namespace Dreambooth.Lab.Display;

/// <summary>Memory figures side by side, each column with the kind of figure that it is; columns without figures are left out.</summary>
internal sealed record MemoryTable : HtmlView
{
    /// <summary>The rows in order.</summary>
    public required IReadOnlyList<MemoryRow> Rows { get; init; }

    /// <summary>A line over the table; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>A remark under the table; empty for none. What the kinds of figures mean is said there anyhow.</summary>
    public string Note { get; init; } = string.Empty;

    /// <inheritdoc/>
    public override string ToText() => Table().ToText();

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer) => Table().Write(writer);

    private TextTable Table()
    {
        (string Heading, string Meaning, Func<MemoryRow, long?> Bytes)[] kinds =
        [
            ("Allocated", "allocated: what tensors take", row => row.Allocated),
            ("Reserved", "reserved: what the allocator holds from the device", row => row.Reserved),
            ("Resident", "resident: what system or driver count for the process", row => row.Resident),
        ];
        kinds = [.. kinds.Where(kind => Rows.Any(row => kind.Bytes(row) is not null))];
        var sources = Rows.Any(row => row.Source.Length > 0);
        string[] notes = [Note, .. kinds.Length > 0 ? new[] { string.Join("; ", kinds.Select(kind => kind.Meaning)) + "." } : []];
        return new TextTable
        {
            Title = Title,
            Columns = ["What", .. kinds.Select(kind => kind.Heading), .. sources ? new[] { "Source" } : []],
            Rows = [.. Rows.Select(row => (IReadOnlyList<string>)
            [
                row.What,
                .. kinds.Select(kind => kind.Bytes(row) is { } bytes ? MemoryUnit.Text(bytes) : "–"),
                .. sources ? new[] { row.Source } : [],
            ])],
            Note = string.Join(" ", notes.Where(note => note.Length > 0)),
        };
    }
}
