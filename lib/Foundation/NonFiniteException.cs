namespace Dreambooth.Lab.Foundation;

/// <summary>Values that must be finite are not: weights in a file, what a training step left, or latents on their way from noise.</summary>
internal sealed class NonFiniteException : LabException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">What is not finite, where, and what would help.</param>
    public NonFiniteException(string message)
        : base(message)
    {
    }
}
