namespace Dreambooth.Lab.Kernel;

/// <summary>
/// An error that a user can act on. Its message says what is wrong, where, and what would be right; it is shown
/// without a stack trace.
/// </summary>
public class KernelException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong, where, and what would be right.</param>
    public KernelException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error with its cause.</summary>
    /// <param name="message">What is wrong, where, and what would be right.</param>
    /// <param name="innerException">The cause.</param>
    public KernelException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
