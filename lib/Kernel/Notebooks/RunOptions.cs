namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>How notebooks are run without a Jupyter client.</summary>
public sealed record RunOptions
{
    /// <summary>Parameters, injected after the cell tagged <c>parameters</c>; values as text (see <see cref="ParameterCell"/>).</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();

    /// <summary>The longest time that one cell may take; null means no limit.</summary>
    public TimeSpan? CellTimeout { get; init; }

    /// <summary>Whether to go on after a cell that failed. Default false.</summary>
    public bool AllowErrors { get; init; }

    /// <summary>How long the kernel may take to start. Default 60 s.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
