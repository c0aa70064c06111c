using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel;

/// <summary>How a cell ended.</summary>
/// <param name="Result">The bundle of its last value, or null when it has none.</param>
/// <param name="Error">The error that ended it, or null.</param>
internal sealed record CellOutcome(JsonObject? Result, CellFailure? Error);

/// <summary>The error that ended a cell, as Jupyter shows it.</summary>
/// <param name="Name">The exception's type.</param>
/// <param name="Value">Its message.</param>
/// <param name="Traceback">The lines shown.</param>
internal sealed record CellFailure(string Name, string Value, IReadOnlyList<string> Traceback);
