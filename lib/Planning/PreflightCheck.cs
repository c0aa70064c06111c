namespace Dreambooth.Lab.Planning;

/// <summary>One check before a run.</summary>
/// <param name="Subject">What: <c>photos</c>, <c>model</c>, <c>disk</c> …</param>
/// <param name="Status">How it ended.</param>
/// <param name="Message">What was found and, where something is to be done, what.</param>
public sealed record PreflightCheck(string Subject, PreflightStatus Status, string Message)
{
    /// <summary>What it is made up of, a line each, such as the layers of each kind; empty (the default) where there is no more.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];
}
