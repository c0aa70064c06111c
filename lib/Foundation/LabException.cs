namespace Dreambooth.Lab.Foundation;

/// <summary>
/// An error that a user can act on. Its message says what is wrong, where, and what would be right;
/// the command line prints it without a stack trace.
/// </summary>
public class LabException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is wrong, where, and what would be right.</param>
    public LabException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error with the lower-level error that caused it.</summary>
    /// <param name="message">What is wrong, where, and what would be right.</param>
    /// <param name="innerException">The cause.</param>
    public LabException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
