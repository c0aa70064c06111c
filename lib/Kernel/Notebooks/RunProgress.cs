namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>What happens while a notebook runs.</summary>
/// <param name="Cell">The cell's number among the code cells, from 1.</param>
/// <param name="CellCount">How many code cells there are.</param>
/// <param name="Source">The cell's text.</param>
/// <param name="Text">Stream text that the cell wrote just now; empty when it begins or ends.</param>
/// <param name="Elapsed">Its duration when it has ended, else null.</param>
/// <param name="Failed">Whether it ended with an error.</param>
public sealed record RunProgress(int Cell, int CellCount, string Source, string Text, TimeSpan? Elapsed, bool Failed);
