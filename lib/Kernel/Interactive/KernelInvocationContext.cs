using Dreambooth.Lab.Kernel.Engine;
using Dreambooth.Lab.Kernel.Streams;

namespace Microsoft.DotNet.Interactive;

/// <summary>The cell that runs, as seen from its own code and from libraries that it calls.</summary>
public sealed class KernelInvocationContext
{
    private readonly ICellHost _host;

    private KernelInvocationContext(ICellHost host) => _host = host;

    /// <summary>The context of the cell that the calling code belongs to; null outside of cells.</summary>
    public static KernelInvocationContext? Current => CellConsole.Current is { } host ? new KernelInvocationContext(host) : null;

    /// <summary>Cancelled when the user interrupts the cell.</summary>
    public CancellationToken CancellationToken => CellInterrupt.Current?.Token ?? CancellationToken.None;

    /// <summary>Shows a value.</summary>
    /// <param name="value">Any value.</param>
    /// <param name="mimeTypes">The MIME types; none means the preferred ones.</param>
    /// <returns>The display, which can be updated.</returns>
    public DisplayedValue Display(object? value, params string[] mimeTypes) => DisplayedValue.Show(value, mimeTypes);

    /// <summary>Shows text as one MIME type.</summary>
    /// <param name="value">The text.</param>
    /// <param name="mimeType">The type.</param>
    /// <param name="additionalMimeTypes">Not used; kept for source compatibility.</param>
    /// <returns>The display, which can be updated.</returns>
    public DisplayedValue DisplayAs(string value, string mimeType, params string[] additionalMimeTypes) => DisplayedValue.ShowLiteral(value, mimeType);

    /// <summary>Writes text to the cell's standard output.</summary>
    /// <param name="output">The text.</param>
    public void DisplayStandardOut(string output) => _host.Stream("stdout", output);

    /// <summary>Clears what the cell has shown so far.</summary>
    /// <param name="wait">Whether to wait for the next output, so that nothing flickers. Default false: at once.</param>
    public void ClearOutput(bool wait = false) => _host.Clear(wait);

    /// <summary>Writes text to the cell's standard error.</summary>
    /// <param name="error">The text.</param>
    public void DisplayStandardError(string error) => _host.Stream("stderr", error);
}
