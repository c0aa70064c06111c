namespace Dreambooth.Lab.Cli;

/// <summary>What a verb writes to and whether it shall stop.</summary>
/// <param name="Output">Results and progress.</param>
/// <param name="Error">Warnings and errors.</param>
/// <param name="IsInteractive">True where <paramref name="Output"/> is a terminal, so that a line may be drawn anew.</param>
/// <param name="Cancellation">Set by the first Ctrl+C.</param>
internal sealed record Session(TextWriter Output, TextWriter Error, bool IsInteractive, CancellationToken Cancellation)
{
    /// <summary>Writes a warning: one paragraph to <see cref="Error"/>.</summary>
    public void Warn(string message) => Error.WriteLine($"warning: {message}");
}
