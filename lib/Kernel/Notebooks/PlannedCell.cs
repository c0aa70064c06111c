using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>A cell to run.</summary>
/// <param name="Source">The text as the reader knows it.</param>
/// <param name="Code">The text that is sent.</param>
/// <param name="Id">Tells the kernel that the same cell runs again.</param>
/// <param name="Index">Its position in the notebook; of an injected cell the position after which it comes.</param>
/// <param name="Injected">The cell to insert, or null for one of the notebook's own.</param>
internal sealed record PlannedCell(string Source, string Code, string Id, int Index, NotebookCell? Injected)
{
    /// <summary>Whether the cell is tagged <c>raises-exception</c>: it shows an error on purpose (the convention of nbclient).</summary>
    public bool MayFail { get; init; }

    /// <summary>Writes the outputs into the notebook.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="outputs">The outputs; empty when the cell did not run.</param>
    /// <param name="count">The execution count; null when the cell did not run.</param>
    public void Write(NotebookDocument notebook, JsonArray outputs, int? count)
    {
        if (Injected is not null)
        {
            notebook.Insert(Index, Injected, outputs, count);
            return;
        }

        notebook.SetOutputs(Index, outputs, count);
        if (count is not null)
            notebook.Stamp(Index);
    }
}
