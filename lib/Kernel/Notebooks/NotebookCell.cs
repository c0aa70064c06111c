namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>A cell of a notebook.</summary>
/// <param name="Kind"><c>code</c>, <c>markdown</c> or <c>raw</c>.</param>
/// <param name="Id">The cell's id; null in notebooks before nbformat 4.5.</param>
/// <param name="Source">The text.</param>
/// <param name="Tags">The tags in its metadata.</param>
/// <param name="Language">The language that its metadata names for Polyglot Notebooks, or null.</param>
public sealed record NotebookCell(string Kind, string? Id, string Source, IReadOnlyList<string> Tags, string? Language = null)
{
    /// <summary>Whether the cell is code to run.</summary>
    public bool IsCode => Kind == "code";
}
