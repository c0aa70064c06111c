using Dreambooth.Lab.Foundation;
using Spectre.Console;

namespace Dreambooth.Lab.Cli;

/// <summary>A verb's outputs and its cancellation.</summary>
/// <param name="Output">Results and progress.</param>
/// <param name="Error">Warnings and errors.</param>
/// <param name="IsInteractive">True where <paramref name="Output"/> is a terminal, so that a line may be rewritten.</param>
/// <param name="Cancellation">Set by the first Ctrl+C.</param>
/// <param name="Input">What the user types or pipes in; null for the process's own.</param>
internal sealed record Session(
    TextWriter Output, TextWriter Error, bool IsInteractive, CancellationToken Cancellation, TextReader? Input = null)
{
    private const int MostInLine = 4000;

    /// <summary>Reads a secret line: without echo from a terminal, else from the input. Null at its end.</summary>
    public string? ReadSecret() => Input is null && IsInteractive && !Console.IsInputRedirected
        ? AnsiConsole.Prompt(new TextPrompt<string>("Token:") { IsSecret = true, Mask = null, AllowEmpty = true })
        : (Input ?? Console.In).ReadLine();

    /// <summary>Writes a warning: one paragraph to <see cref="Error"/>.</summary>
    public void Warn(string message) => Error.WriteLine($"warning: {CutLines(message)}");

    /// <summary>Writes what ended the work: one paragraph to <see cref="Error"/>.</summary>
    public void Fail(string message) => Error.WriteLine($"error: {CutLines(message)}");

    // Messages repeat what users give, which may be of any length.
    private static string CutLines(string message) => message.Length <= MostInLine ? message
        : string.Join('\n', message.Split('\n').Select(line => ShownText.Cut(line, MostInLine)));
}
