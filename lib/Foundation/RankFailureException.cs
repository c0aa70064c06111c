namespace Dreambooth.Lab.Foundation;

/// <summary>The ranks of a run cannot go on together: one did not come, ended, hangs, or failed by an error of its own.</summary>
internal sealed class RankFailureException : LabException
{
    /// <summary>What a rank that is cancelled says to the others by <see cref="Rendezvous.Fail"/>.</summary>
    public const string Cancelled = "it was cancelled.";

    /// <summary>Creates the error.</summary>
    /// <param name="message">Which rank, and what happened to it.</param>
    public RankFailureException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the error with another that it led to.</summary>
    /// <param name="message">Which rank, and what happened to it.</param>
    /// <param name="innerException">What failed here meanwhile.</param>
    public RankFailureException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether it says that a rank was cancelled.</summary>
    public bool IsCancellation => Message.EndsWith($" failed: {Cancelled}", StringComparison.Ordinal);
}
