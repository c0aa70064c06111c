using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Kernel;

/// <summary>The value of a cell.</summary>
/// <param name="Value">The value.</param>
/// <param name="Formatted">The forms in which it is shown.</param>
internal sealed record CellValue(object? Value, IReadOnlyList<FormattedValue> Formatted);
