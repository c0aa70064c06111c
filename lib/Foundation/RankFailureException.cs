namespace Dreambooth.Lab.Foundation;

/// <summary>The ranks of a run cannot go on together: one did not come, ended, hangs, or failed by an error of its own.</summary>
internal sealed class RankFailureException : LabException
{
    /// <summary>Creates the error.</summary>
    /// <param name="message">Which rank, and what happened to it.</param>
    public RankFailureException(string message)
        : base(message)
    {
    }
}
