namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// Ends a cell that the user interrupted. Cells may catch it to tidy up, but not swallow it for good: the next loop throws it again.
/// </summary>
public sealed class CellInterruptedException : OperationCanceledException
{
    /// <summary>Creates the exception.</summary>
    public CellInterruptedException()
        : base("The cell was interrupted.")
    {
    }

    /// <summary>Creates the exception with a message of its own.</summary>
    /// <param name="message">The message.</param>
    public CellInterruptedException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public CellInterruptedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
