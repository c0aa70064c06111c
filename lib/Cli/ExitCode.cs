namespace Dreambooth.Lab.Cli;

/// <summary>The exit codes of the process.</summary>
internal static class ExitCode
{
    /// <summary>All done.</summary>
    public const int Success = 0;

    /// <summary>The work failed; a message says why.</summary>
    public const int Failure = 1;

    /// <summary>The command line or a recipe is wrong; nothing was started.</summary>
    public const int Usage = 2;

    /// <summary>Ended by Ctrl+C (128 + SIGINT), with what was done kept.</summary>
    public const int Cancelled = 130;
}
