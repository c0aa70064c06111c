namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>How the run of a notebook ended.</summary>
/// <param name="Notebook">The notebook with its outputs.</param>
/// <param name="CellsRun">How many code cells ran, whether they failed or not.</param>
/// <param name="Failures">The cells that failed; empty when all went well.</param>
public sealed record RunResult(NotebookDocument Notebook, int CellsRun, IReadOnlyList<RunFailure> Failures);
