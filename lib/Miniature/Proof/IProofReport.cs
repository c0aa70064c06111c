namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What a proof came to.</summary>
internal interface IProofReport
{
    /// <summary>Every claim that does not hold, as a sentence each; empty when all hold.</summary>
    IReadOnlyList<string> Shortfalls();

    /// <summary>All figures, as a page.</summary>
    string ToMarkdown();
}
