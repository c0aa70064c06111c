namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>Which cells of a notebook run, with parameters put in.</summary>
internal static class RunPlan
{
    private static readonly string[] s_csharp = ["csharp", "c#"];

    /// <summary>The code cells in order, and the parameter cell where it belongs.</summary>
    /// <exception cref="KernelException">The parameters do not fit the notebook.</exception>
    public static List<PlannedCell> Of(NotebookDocument notebook, IReadOnlyDictionary<string, string> parameters)
    {
        var cells = notebook.Cells.Select((c, i) => (Cell: c, Index: i)).Where(c => c.Cell.IsCode && c.Cell.Source.Trim().Length > 0)
            .Select(
                c => new PlannedCell(
                    c.Cell.Source, WithLanguage(c.Cell), c.Cell.Id ?? FormattableString.Invariant($"cell-{c.Index}"), c.Index, null)
                {
                    MayFail = c.Cell.Tags.Contains("raises-exception"),
                })
            .ToList();
        if (parameters.Count == 0)
            return cells;
        var defaults = notebook.Cells.ToList().FindIndex(c => c.Tags.Contains(ParameterCell.Tag));
        var code = ParameterCell.Write(parameters, defaults < 0 ? null : notebook.Cells[defaults].Source);
        var injected = notebook.Cells.ToList().FindIndex(c => c.Tags.Contains(ParameterCell.InjectedTag));
        if (injected >= 0)
        {
            notebook.SetSource(injected, code);
            cells[cells.FindIndex(c => c.Index == injected)] = new PlannedCell(code, code, ParameterCell.InjectedTag, injected, null);
            return cells;
        }

        var cell = new NotebookCell("code", null, code, [ParameterCell.InjectedTag]);
        cells.Insert(
            cells.FindLastIndex(c => c.Index <= defaults) + 1, new PlannedCell(code, code, ParameterCell.InjectedTag, defaults, cell));
        return cells;
    }

    // A cell of another language carries it in its metadata; the kernel is told by a magic.
    private static string WithLanguage(NotebookCell cell) =>
        cell.Language is null || s_csharp.Contains(cell.Language.ToLowerInvariant())
            || cell.Source.TrimStart().StartsWith("#!", StringComparison.Ordinal)
            ? cell.Source
            : $"#!{cell.Language}\n{cell.Source}";
}
