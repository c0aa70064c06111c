using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Miniature.Proof;

namespace Dreambooth.Lab.Miniature;

/// <summary>How every verb that proves something ends.</summary>
internal static class ProofOutput
{
    /// <summary>Prints a report, and a warning for each claim that does not hold.</summary>
    /// <param name="session">Where it goes.</param>
    /// <param name="report">The report.</param>
    /// <returns>One of <see cref="ExitCode"/>: a failure where a claim does not hold.</returns>
    public static int Tell(Session session, IProofReport report)
    {
        session.Output.Write(report.ToMarkdown());
        var shortfalls = report.Shortfalls();
        foreach (var shortfall in shortfalls)
            session.Warn(shortfall);
        return shortfalls.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }
}
